/** The credentials in use, apart from the rest of the app: @azure/identity is loaded when the first token is wanted. */
export {
  AzureCliCredential,
  AzureDeveloperCliCredential,
  AzurePowerShellCredential,
  ChainedTokenCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  ManagedIdentityCredential,
  OnBehalfOfCredential,
  WorkloadIdentityCredential,
} from '@azure/identity';
export { ManagedIdentityApplication } from '@azure/msal-node';
