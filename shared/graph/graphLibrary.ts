/** The Graph SDK, apart from the rest of the app: loaded when the first request goes to Graph. */
export { Client, ResponseType } from '@microsoft/microsoft-graph-client';
