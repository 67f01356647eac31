param applicationInsightsName string
param location string
param tags object

var panels = [
  {
    name: 'requests'
    title: 'Requests by operation and caller'
    visualization: 'table'
    query: loadTextContent('../queries/workbook/requests.kql')
  }
  {
    name: 'statuses'
    title: 'Responses by status'
    visualization: 'timechart'
    query: loadTextContent('../queries/workbook/statuses.kql')
  }
  {
    name: 'errors'
    title: 'Errors'
    visualization: 'table'
    query: loadTextContent('../queries/workbook/errors.kql')
  }
  {
    name: 'durations'
    title: 'Response times in ms by operation'
    visualization: 'table'
    query: loadTextContent('../queries/workbook/durations.kql')
  }
  {
    name: 'durationsByTime'
    title: 'Response times in ms'
    visualization: 'timechart'
    query: loadTextContent('../queries/workbook/durationsByTime.kql')
  }
  {
    name: 'bytes'
    title: 'Bytes per hour'
    visualization: 'timechart'
    query: loadTextContent('../queries/workbook/bytes.kql')
  }
  {
    name: 'throttling'
    title: 'Throttling by mailbox (hash)'
    visualization: 'table'
    query: loadTextContent('../queries/workbook/throttling.kql')
  }
  {
    name: 'retries'
    title: 'Retries'
    visualization: 'table'
    query: loadTextContent('../queries/workbook/retries.kql')
  }
  {
    name: 'jobs'
    title: 'Jobs by state and age'
    visualization: 'table'
    query: loadTextContent('../queries/workbook/jobs.kql')
  }
  {
    name: 'mails'
    title: 'Mails'
    visualization: 'timechart'
    query: loadTextContent('../queries/workbook/mails.kql')
  }
  {
    name: 'unknownOutcomes'
    title: 'Unknown outcomes: Graph did not respond'
    visualization: 'table'
    query: loadTextContent('../queries/workbook/unknownOutcomes.kql')
  }
  {
    name: 'failures'
    title: 'Failures of the app: settings, tokens, storage, unmatched requests'
    visualization: 'table'
    query: loadTextContent('../queries/workbook/failures.kql')
  }
]

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // The name of a workbook must be a GUID.
  name: guid(applicationInsights.id, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Graph Upload Session Proxy'
    category: 'workbook'
    sourceId: applicationInsights.id
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat(
        [
          {
            type: 9 // parameters
            name: 'parameters'
            content: {
              version: 'KqlParameterItem/1.0'
              parameters: [
                {
                  id: guid(applicationInsights.id, 'TimeRange')
                  version: 'KqlParameterItem/1.0'
                  name: 'TimeRange'
                  label: 'Time range'
                  type: 4 // time range
                  isRequired: true
                  value: { durationMs: 86400000 }
                  typeSettings: {
                    selectableValues: map([3600000, 14400000, 86400000, 604800000, 2592000000], ms => { durationMs: ms })
                    allowCustom: true
                  }
                }
              ]
              style: 'pills'
              queryType: 0
              resourceType: 'microsoft.insights/components'
            }
          }
        ],
        map(panels, panel => {
          type: 3 // query
          name: panel.name
          content: {
            version: 'KqlItem/1.0'
            title: panel.title
            query: panel.query
            size: 0
            timeContextFromParameter: 'TimeRange'
            queryType: 0 // Logs
            resourceType: 'microsoft.insights/components'
            visualization: panel.visualization
            noDataMessage: 'None in this time range.'
          }
        })
      )
      fallbackResourceIds: [applicationInsights.id]
      '$schema': 'https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json'
    })
  }
}
