/** The Graph SDK, in a file of its own: loaded when the first request goes to Graph. */
export { Client, ResponseType } from '@microsoft/microsoft-graph-client';
