param name string
param location string
param tags object
param isPublic bool

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource packages 'containers' = {
      name: 'app-package'
      properties: { publicAccess: 'None' }
    }

    // The records of uploads under way, sealed by the app.
    resource uploads 'containers' = {
      name: 'upload-sessions'
      properties: { publicAccess: 'None' }
    }
  }

  resource queues 'queueServices' = {
    name: 'default'

    // Messages of jobs, sealed by the app; those that the host has given up are moved to the second.
    resource jobs 'queues' = {
      name: 'attach-jobs'
    }

    resource poisonJobs 'queues' = {
      name: 'attach-jobs-poison'
    }
  }

  // A record is of use for a day at most; whole days since the last write are all that a rule can count.
  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'delete-old-upload-records'
            type: 'Lifecycle'
            enabled: true
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['upload-sessions/'] }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 2 } } }
            }
          }
        ]
      }
    }
  }
}

output id string = account.id
output name string = account.name
output blobEndpoint string = account.properties.primaryEndpoints.blob
output queueEndpoint string = account.properties.primaryEndpoints.queue
output packageContainerUrl string = '${account.properties.primaryEndpoints.blob}${account::blobs::packages.name}'
