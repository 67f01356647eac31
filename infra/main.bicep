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

@allowed([512, 2048, 4096])
@description('Memory of an instance, in MB. Requests with Content-Length need about 3.7 times their size.')
param instanceMemoryMB int = 2048

@minValue(0)
@maxValue(1000)
@description('Requests that an instance serves at once before another one starts. 0: the default of the platform for this memory.')
param httpConcurrency int = 0

@description('Resource id of the subnet through which the app reaches storage and Graph. It is delegated to Microsoft.App/environments. Empty: none.')
param appSubnetId string = ''

@description('Resource id of the subnet for the private endpoints of storage and app. With it, storage has no public access. Needs appSubnetId. Empty: no private endpoints.')
param privateEndpointSubnetId string = ''

@description('Resource id of the resource group that has the private DNS zones for blob, queue and azurewebsites. Empty: the template creates the zones and links them with the network of the private endpoints.')
param privateDnsZoneGroupId string = ''

@allowed(['', 'true', 'false'])
@description('Whether the app has a public address. false needs privateEndpointSubnetId. Empty: true.')
param publicAccess string = ''

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
@description('How the proxy identifies callers. functionKey: the platform checks a function key, and all holders of a key are one caller. entra: the app verifies Entra access tokens.')
param callerAuth string = ''
@description('The callers\' tenant. Required with CALLER_AUTH=entra.')
param entraTenantId string = ''
@description('Accepted aud values: application ID URI, client id, or both. Required with CALLER_AUTH=entra.')
param apiAudience string = ''
@description('The app role, or in a user\'s token the scope, that a token must contain.')
param apiRole string = ''
@description('The policy file, relative to host.json. Only the default file may be absent. See policy.md.')
param policyFile string = ''
@description('The policy document as JSON, instead of a file.')
param policy string = ''
@description('The mailbox (userPrincipalName or object id) for me if the policy names none. Without a policy, holders of a function key reach only this mailbox.')
param meMailbox string = ''
@allowed(['', 'true', 'false'])
@description('true lets every authenticated caller reach every mailbox and group that the app can access. Invalid together with a policy.')
param allowAnyMailbox string = ''
@description('Graph\'s root. National clouds: https://graph.microsoft.us, https://dod-graph.microsoft.us, https://microsoftgraph.chinacloudapi.cn.')
param graphBaseUrl string = ''
@description('Entra\'s authority. National clouds: https://login.microsoftonline.us, https://login.chinacloudapi.cn.')
param azureAuthorityHost string = ''
@description('The app registration that gets tokens on behalf of users. It is the audience of callers\' tokens. Required if the policy contains actsAs: user. Needs CALLER_AUTH=entra.')
param oboClientId string = ''
@description('The tenant of that registration. If absent: ENTRA_TENANT_ID.')
param oboTenantId string = ''
@allowed(['', 'graph', 'proxy'])
@description('Which uploadUrl callers get unless the policy sets it: Graph\'s, or one of the proxy.')
param uploadUrl string = ''
@description('The proxy\'s URL in uploadUrls. If absent: the host of the request. Set it if a gateway changes the host.')
param publicBaseUrl string = ''
@description('Hosts that the proxy sends bytes to, in addition to Graph\'s. Other uploadUrls return 502.')
param uploadHosts string = ''
@secure()
@description('Seals the queue messages of jobs: 32 characters or more, the same in all instances. Use a Key Vault reference in Azure. If absent: WEBSITE_AUTH_ENCRYPTION_KEY. Without both, jobs return 501.')
param jobKey string = ''
@description('Timeout of a job in minutes, waits included. The job fails with the last reason.')
param jobTimeoutMinutes string = ''
@description('Timeout of a request in milliseconds, retries and waits included. Then the proxy returns 504.')
param requestTimeoutMs string = ''
@description('Timeout of one range in milliseconds, retries included.')
param uploadTimeoutMs string = ''
@description('Timeout of attaching a file in one call, in milliseconds.')
param attachTimeoutMs string = ''
@description('Calls to Graph per request; 1 means no retry. The proxy repeats the call once more if Graph rejects the token.')
param graphMaxAttempts string = ''
@description('Requests per instance that may wait for one mailbox while four are in progress. Others return 429.')
param mailboxQueueLength string = ''
@description('Largest file for messages, events, posts and outlookTasks, in bytes.')
param maxOutlookAttachmentBytes string = ''
@description('Largest file for To Do tasks, in bytes.')
param maxTodoAttachmentBytes string = ''
@description('Largest file in contentBytes of a JSON body, in bytes after decoding. The file stays in memory.')
param maxJsonAttachmentBytes string = ''
@description('Largest mail with its files, in bytes.')
param maxMessageBytes string = ''
@description('SEND_SETTLE_SECONDS: how long a draft must stay unsent after a failed send before it is sent once more.')
param sendSettleSeconds string = ''
@allowed(['', 'hashed', 'plain'])
@description('How the log shows mailboxes and groups: the first 16 hex digits of the SHA-256 of the lower-case name, or the name.')
param logMailbox string = ''
@description('URL for spans of calls to Graph (OTLP/HTTP). If absent, the app sends no spans.')
param otelExporterOtlpEndpoint string = ''
@secure()
@description('Headers of the exporter, such as an access key: name=value,name=value.')
param otelExporterOtlpHeaders string = ''

var resourceToken = toLower(uniqueString(subscription().id, environmentName, location))
var bodyLimitBytes = empty(requestBodyLimitBytes) ? '167772160' : requestBodyLimitBytes
var isPrivate = !empty(privateEndpointSubnetId)
var storageZone = environment().suffixes.storage
var appZones = { AzureUSGovernment: 'azurewebsites.us', AzureChinaCloud: 'chinacloudsites.cn' }
var appZone = appZones[?environment().name] ?? 'azurewebsites.net'
// Otherwise the app could not reach its storage, or no caller could reach the app.
var subnetOfApp = isPrivate && empty(appSubnetId) ? fail('privateEndpointSubnetId needs appSubnetId.') : appSubnetId
var isPublic = publicAccess != 'false' || (isPrivate ? false : fail('publicAccess=false needs privateEndpointSubnetId.'))
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
  SEND_SETTLE_SECONDS: sendSettleSeconds
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
    isPublic: !isPrivate
  }
}

module storageEndpoints 'app/privateEndpoint.bicep' = [
  for service in ['blob', 'queue']: if (isPrivate) {
    scope: group
    params: {
      name: 'pe-${service}-${resourceToken}'
      location: location
      tags: allTags
      targetId: storage.outputs.id
      groupId: service
      zoneName: 'privatelink.${service}.${storageZone}'
      subnetId: privateEndpointSubnetId
      zoneGroupId: privateDnsZoneGroupId
    }
  }
]

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
    instanceMemoryMB: instanceMemoryMB
    httpConcurrency: httpConcurrency
    subnetId: subnetOfApp
    isPublic: isPublic
    requestBodyLimitBytes: bodyLimitBytes
    operatorSettings: operatorSettings
    apiDefinitionUrl: apiDefinitionUrl
    corsAllowedOrigins: corsAllowedOrigins
  }
  // The first start of the app reads its storage, so the roles and the way to it come first.
  dependsOn: [roles, storageEndpoints]
}

module appEndpoint 'app/privateEndpoint.bicep' = if (isPrivate) {
  scope: group
  params: {
    name: 'pe-sites-${resourceToken}'
    location: location
    tags: allTags
    targetId: api.outputs.id
    groupId: 'sites'
    zoneName: 'privatelink.${appZone}'
    subnetId: privateEndpointSubnetId
    zoneGroupId: privateDnsZoneGroupId
  }
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
