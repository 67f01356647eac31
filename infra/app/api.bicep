param name string
param planName string
param location string
param tags object
param identityName string
param identityClientId string
param blobEndpoint string
param queueEndpoint string
param packageContainerUrl string
@secure()
param applicationInsightsConnectionString string
@secure()
param otelExporterOtlpHeaders string
@secure()
param jobKey string
param maximumInstanceCount int
param instanceMemoryMB int
param httpConcurrency int
param subnetId string
param isPublic bool
param requestBodyLimitBytes string
param operatorSettings object
param apiDefinitionUrl string
param corsAllowedOrigins string

// Secrets, which must not travel in a plain object, and what the template knows by itself.
var otherSettings = {
  GRAPH_CREDENTIAL: 'managedIdentity'
  AZURE_CLIENT_ID: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  OTEL_EXPORTER_OTLP_HEADERS: otelExporterOtlpHeaders
  JOB_KEY: jobKey
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__credential: 'managedidentity'
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: requestBodyLimitBytes
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = {
  name: identityName
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: identity.id
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      apiDefinition: empty(apiDefinitionUrl) ? null : { url: apiDefinitionUrl }
      cors: empty(corsAllowedOrigins) ? null : { allowedOrigins: split(corsAllowedOrigins, ',') }
    }
    functionAppConfig: {
      runtime: { name: 'node', version: '22' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      scaleAndConcurrency: union(
        { instanceMemoryMB: instanceMemoryMB, maximumInstanceCount: maximumInstanceCount },
        httpConcurrency == 0 ? {} : { triggers: { http: { perInstanceConcurrency: httpConcurrency } } }
      )
    }
  }

  // func and azd publish with the operator's own Entra sign-in; passwords for publishing stay off.
  resource noFtpPasswords 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noScmPasswords 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: toObject(
      filter(items(union(operatorSettings, otherSettings)), setting => !empty(setting.value)),
      setting => setting.key,
      setting => setting.value
    )
  }
}

output id string = app.id
output name string = app.name
output hostName string = app.properties.defaultHostName
