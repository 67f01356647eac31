import { URL_PATHS, type UrlKind } from '../routes.ts';

/**
 * The URL of an upload or a job at the proxy: on the host that the caller used, or on PUBLIC_BASE_URL. Anyone who knows it may
 * continue the upload.
 */
export function proxyUrlOf(kind: UrlKind, id: string, requestUrl: URL, publicBaseUrl: string | undefined): string {
  return `${publicBaseUrl ?? requestUrl.origin}/api/${URL_PATHS[kind]}/${id}`;
}

/** The id in a URL that proxyUrlOf has built. */
export function idInProxyUrl(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
