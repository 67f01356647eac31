targetScope = 'subscription'

@sealed()
type alertThresholdsType = {
  misconfigured: int?
  tokenFailures: int?
  storageFailures: int?
  serverErrors: int?
  throttled: int?
  unmatchedRequests: int?
  openToAllMailboxes: int?
  manyMailboxesDenied: int?
  unknownCallers: int?
  usersRefused: int?
  guessedUrls: int?
  lostJobs: int?
}

@minLength(1)
@maxLength(64)
@description('Name of the azd environment. Resource names are derived from it.')
param environmentName string

@minLength(1)
@description('Region of all resources. It must offer Flex Consumption with Node 22.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Tags for every resource, besides azd-env-name.')
param tags object = {}

@description('Resource group to create or update.')
param resourceGroupName string = 'rg-${environmentName}'

@minValue(1)
@maxValue(1000)
@description('The most instances that the app may scale out to.')
param maximumInstanceCount int = 100

@description('Client id of the app registration behind Easy Auth. Empty: Easy Auth is off.')
param easyAuthClientId string = ''

@description('Audiences that Easy Auth accepts, separated by commas. Empty: api://<easyAuthClientId>.')
param easyAuthAudiences string = ''

@description('Token issuer that Easy Auth accepts. Empty: this tenant, v1 tokens, which is what managed identities get by default.')
param easyAuthIssuer string = ''

@description('Client ids of the callers that Easy Auth admits, separated by commas. Empty: every application of the tenant.')
param easyAuthAllowedApplications string = ''

@description('Address of the Swagger 2.0 document for the Logic Apps designer: https://<host>/api/swagger.json. Empty: none.')
param apiDefinitionUrl string = ''

@description('Origins for CORS, separated by commas, or *: the list of the platform, which answers first, and the setting of the app. The Logic Apps designer needs *. Empty: none.')
param corsAllowedOrigins string = ''

@description('Largest body of a request, in bytes: the platform answers more with an empty 500. Empty: 167772160, so that files of 150 MiB can be sent through the app in one call. If callers only open upload sessions, 1048576 is plenty: the platform holds a body with Content-Length in memory before the app can refuse it.')
param requestBodyLimitBytes string = ''

@description('Resource id of the action group that all alerts notify. Empty: the one of alertEmail, or none, so that the alerts only show in the portal.')
param alertActionGroupId string = ''

@description('Mail address for the alerts. The template then creates an action group, unless alertActionGroupId is set.')
param alertEmail string = ''

@description('Thresholds that replace those of infra/alerts.json, by the name of the alert. A rule fires if its count is higher.')
param alertThresholds alertThresholdsType = {}

// The app's own settings, described in docs/configuration.md. An empty one is not set, so that the app's default holds.
@allowed(['', 'functionKey', 'entra'])
param callerAuth string = ''
param entraTenantId string = ''
param apiAudience string = ''
param apiRole string = ''
param policyFile string = ''
param policy string = ''
param meMailbox string = ''
@allowed(['', 'true', 'false'])
param allowAnyMailbox string = ''
param graphBaseUrl string = ''
param azureAuthorityHost string = ''
param oboClientId string = ''
param oboTenantId string = ''
@allowed(['', 'graph', 'proxy'])
param uploadUrl string = ''
param publicBaseUrl string = ''
param uploadHosts string = ''
@secure()
param jobKey string = ''
param jobTimeoutMinutes string = ''
param requestTimeoutMs string = ''
param uploadTimeoutMs string = ''
param attachTimeoutMs string = ''
param graphMaxAttempts string = ''
param mailboxQueueLength string = ''
param maxOutlookAttachmentBytes string = ''
param maxTodoAttachmentBytes string = ''
param maxJsonAttachmentBytes string = ''
param maxMessageBytes string = ''
@allowed(['', 'hashed', 'plain'])
param logMailbox string = ''
param otelExporterOtlpEndpoint string = ''
@secure()
param otelExporterOtlpHeaders string = ''

var resourceToken = toLower(uniqueString(subscription().id, environmentName, location))
var bodyLimitBytes = empty(requestBodyLimitBytes) ? '167772160' : requestBodyLimitBytes
var allTags = union(tags, { 'azd-env-name': environmentName })

var operatorSettings = {
  CALLER_AUTH: callerAuth
  ENTRA_TENANT_ID: entraTenantId
  API_AUDIENCE: apiAudience
  API_ROLE: apiRole
  POLICY_FILE: policyFile
  POLICY: policy
  ME_MAILBOX: meMailbox
  ALLOW_ANY_MAILBOX: allowAnyMailbox
  GRAPH_BASE_URL: graphBaseUrl
  AZURE_AUTHORITY_HOST: azureAuthorityHost
  OBO_CLIENT_ID: oboClientId
  OBO_TENANT_ID: oboTenantId
  UPLOAD_URL: uploadUrl
  PUBLIC_BASE_URL: publicBaseUrl
  CORS_ALLOWED_ORIGINS: corsAllowedOrigins
  UPLOAD_HOSTS: uploadHosts
  JOB_TIMEOUT_MINUTES: jobTimeoutMinutes
  REQUEST_TIMEOUT_MS: requestTimeoutMs
  UPLOAD_TIMEOUT_MS: uploadTimeoutMs
  ATTACH_TIMEOUT_MS: attachTimeoutMs
  GRAPH_MAX_ATTEMPTS: graphMaxAttempts
  MAILBOX_QUEUE_LENGTH: mailboxQueueLength
  MAX_OUTLOOK_ATTACHMENT_BYTES: maxOutlookAttachmentBytes
  MAX_TODO_ATTACHMENT_BYTES: maxTodoAttachmentBytes
  MAX_JSON_ATTACHMENT_BYTES: maxJsonAttachmentBytes
  MAX_MESSAGE_BYTES: maxMessageBytes
  LOG_MAILBOX: logMailbox
  OTEL_EXPORTER_OTLP_ENDPOINT: otelExporterOtlpEndpoint
}

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: resourceGroupName
  location: location
  tags: allTags
}

module identity 'app/identity.bicep' = {
  scope: group
  params: {
    name: 'id-api-${resourceToken}'
    location: location
    tags: allTags
  }
}

module storage 'app/storage.bicep' = {
  scope: group
  params: {
    name: 'st${resourceToken}'
    location: location
    tags: allTags
  }
}

module monitoring 'app/monitoring.bicep' = {
  scope: group
  params: {
    workspaceName: 'log-${resourceToken}'
    applicationInsightsName: 'appi-${resourceToken}'
    location: location
    tags: allTags
  }
}

module alerts 'app/alerts.bicep' = {
  scope: group
  params: {
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    actionGroupId: alertActionGroupId
    email: alertEmail
    thresholds: alertThresholds
    location: location
    tags: allTags
  }
}

module workbook 'app/workbook.bicep' = {
  scope: group
  params: {
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    location: location
    tags: allTags
  }
}

module roles 'app/roles.bicep' = {
  scope: group
  params: {
    principalId: identity.outputs.principalId
    storageName: storage.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module api 'app/api.bicep' = {
  scope: group
  params: {
    name: 'func-api-${resourceToken}'
    planName: 'plan-${resourceToken}'
    location: location
    tags: allTags
    identityName: identity.outputs.name
    identityClientId: identity.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    packageContainerUrl: storage.outputs.packageContainerUrl
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    otelExporterOtlpHeaders: otelExporterOtlpHeaders
    jobKey: jobKey
    maximumInstanceCount: maximumInstanceCount
    requestBodyLimitBytes: bodyLimitBytes
    operatorSettings: operatorSettings
    apiDefinitionUrl: apiDefinitionUrl
    corsAllowedOrigins: corsAllowedOrigins
  }
  // The first start of the app reads its storage, so the roles come first.
  dependsOn: [roles]
}

module easyAuth 'app/easyAuth.bicep' = if (!empty(easyAuthClientId)) {
  scope: group
  params: {
    appName: api.outputs.name
    clientId: easyAuthClientId
    audiences: easyAuthAudiences
    issuer: easyAuthIssuer
    allowedApplications: easyAuthAllowedApplications
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output SERVICE_API_NAME string = api.outputs.name
output SERVICE_API_HOST string = api.outputs.hostName
output API_IDENTITY_CLIENT_ID string = identity.outputs.clientId
output API_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
