/**
 * The HTTP client, in a file of its own: loaded when the first request goes to Graph. Only undici's connection pool is
 * imported: the package's root brings fetch, WebSocket, caches and mocks, at more than twice the load time.
 */
export { default as Pool } from 'undici/lib/dispatcher/pool.js';
