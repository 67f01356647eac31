/** The guard of connections to sources, apart from the rest of the app: loaded when the first source is opened. */
export { request } from 'node:https';
export { default as ipaddr } from 'ipaddr.js';
export { RequestFilteringHttpsAgent } from 'request-filtering-agent';
