/** Token verification, apart from the rest of the app: jose is loaded with CALLER_AUTH=entra only. */
export { createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose';
