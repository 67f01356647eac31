param name string
param location string
param tags object
param targetId string
@description('What of the target is reached: blob, queue or sites.')
param groupId string
param zoneName string
param subnetId string
param zoneGroupId string

var ownsZone = empty(zoneGroupId)
var networkId = split(subnetId, '/subnets/')[0]

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = if (ownsZone) {
  name: zoneName
  location: 'global'
  tags: tags

  resource link 'virtualNetworkLinks' = {
    name: uniqueString(networkId)
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: networkId }
    }
  }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: { privateLinkServiceId: targetId, groupIds: [groupId] }
      }
    ]
  }

  resource zoneGroup 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: groupId
          properties: {
            privateDnsZoneId: ownsZone
              ? zone.id
              : '${zoneGroupId}/providers/Microsoft.Network/privateDnsZones/${zoneName}'
          }
        }
      ]
    }
  }
}
