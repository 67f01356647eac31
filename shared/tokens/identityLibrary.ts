/** The other credentials in use, apart from the rest of the app: loaded when the first token is wanted. */
export {
  AzureCliCredential,
  AzureDeveloperCliCredential,
  AzurePowerShellCredential,
  ChainedTokenCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  OnBehalfOfCredential,
  WorkloadIdentityCredential,
} from '@azure/identity';
