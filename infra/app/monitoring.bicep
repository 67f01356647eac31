param workspaceName string
param applicationInsightsName string
param location string
param alertActionGroupId string
param tags object

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
  }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: applicationInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

// The poison queue itself stays empty: the app takes what is in it and says so.
resource poisonAlert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'alert-poison-jobs-${applicationInsightsName}'
  location: location
  tags: tags
  properties: {
    displayName: 'A message of a job was given up'
    description: 'The worker of a job broke off again and again. docs/operate.md says what to look at.'
    severity: 2
    enabled: true
    scopes: [applicationInsights.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      allOf: [
        {
          query: 'traces | where message startswith \'{"event":"job"\' | where tobool(parse_json(message).isPoison)'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: { actionGroups: empty(alertActionGroupId) ? [] : [alertActionGroupId] }
    autoMitigate: true
  }
}

output applicationInsightsName string = applicationInsights.name
@secure()
output connectionString string = applicationInsights.properties.ConnectionString
