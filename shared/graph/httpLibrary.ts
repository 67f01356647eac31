/**
 * The HTTP client, apart from the rest of the app: loaded when the first request goes to Graph. Of undici only its
 * connection pool is taken: the package's root brings fetch, WebSocket, caches and mocks, at more than twice the load time.
 */
export { default as buildConnector } from 'undici/lib/core/connect.js';
export { default as Pool } from 'undici/lib/dispatcher/pool.js';
