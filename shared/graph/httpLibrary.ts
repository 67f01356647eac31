/** The HTTP client, apart from the rest of the app: undici is loaded when the first request goes to Graph. */
export { Pool } from 'undici';
