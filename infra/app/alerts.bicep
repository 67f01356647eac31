param applicationInsightsName string
param location string
@description('Existing action group, or empty.')
param actionGroupId string
@description('Address for mails, or empty.')
param email string
@description('Thresholds by the name of the alert.')
param thresholds object
param tags object

var queries = {
  misconfigured: loadTextContent('../queries/alerts/misconfigured.kql')
  tokenFailures: loadTextContent('../queries/alerts/tokenFailures.kql')
  storageFailures: loadTextContent('../queries/alerts/storageFailures.kql')
  serverErrors: loadTextContent('../queries/alerts/serverErrors.kql')
  throttled: loadTextContent('../queries/alerts/throttled.kql')
  unmatchedRequests: loadTextContent('../queries/alerts/unmatchedRequests.kql')
  openToAllMailboxes: loadTextContent('../queries/alerts/openToAllMailboxes.kql')
  manyMailboxesDenied: loadTextContent('../queries/alerts/manyMailboxesDenied.kql')
  unknownCallers: loadTextContent('../queries/alerts/unknownCallers.kql')
  usersRefused: loadTextContent('../queries/alerts/usersRefused.kql')
  guessedUrls: loadTextContent('../queries/alerts/guessedUrls.kql')
  lostJobs: loadTextContent('../queries/alerts/lostJobs.kql')
}
var alerts = loadJsonContent('../alerts.json')
var newGroupId = empty(email) ? '' : group.id
var groupId = empty(actionGroupId) ? newGroupId : actionGroupId

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email) && empty(actionGroupId)) {
  name: 'ag-${applicationInsightsName}'
  location: 'Global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'uploads'
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in alerts: {
    name: 'alert-${alert.name}-${applicationInsightsName}'
    location: location
    tags: tags
    properties: {
      displayName: alert.title
      description: '${alert.meaning}. See docs/alerts.md.'
      severity: alert.severity
      enabled: true
      scopes: [applicationInsights.id]
      evaluationFrequency: 'PT${alert.minutes}M'
      windowSize: 'PT${alert.minutes}M'
      criteria: {
        allOf: [
          {
            query: queries[alert.name]
            timeAggregation: contains(alert, 'measure') ? 'Maximum' : 'Count'
            metricMeasureColumn: alert.?measure
            operator: 'GreaterThan'
            threshold: thresholds[?alert.name] ?? alert.threshold
          }
        ]
      }
      actions: { actionGroups: empty(groupId) ? [] : [groupId] }
      autoMitigate: true
    }
  }
]
