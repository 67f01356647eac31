param appName string
param clientId string
param audiences string
param issuer string
param allowedApplications string

// learn.microsoft.com/entra/identity-platform/access-tokens: v1 tokens carry this issuer.
var thisTenant = 'https://sts.windows.net/${tenant().tenantId}/'

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName

  resource auth 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      httpSettings: { requireHttps: true }
      login: { tokenStore: { enabled: false } }
      globalValidation: {
        requireAuthentication: true
        unauthenticatedClientAction: 'Return401'
        // The designer reads the definition, and probes read the health, without a token. Neither holds a secret.
        // The address of an upload is its own credential: stock upload clients send no token there.
        excludedPaths: ['/api/swagger.json', '/api/openapi.json', '/api/health', '/api/uploadSessions/*', '/api/jobs/*']
      }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: clientId
            openIdIssuer: empty(issuer) ? thisTenant : issuer
          }
          validation: {
            allowedAudiences: empty(audiences) ? ['api://${clientId}'] : split(audiences, ',')
            defaultAuthorizationPolicy: empty(allowedApplications)
              ? null
              : { allowedApplications: split(allowedApplications, ',') }
          }
        }
      }
    }
  }
}
