/**
 * The address of an upload at the proxy: on the host that the caller used, or where PUBLIC_BASE_URL says that callers see the
 * proxy. Whoever knows it may send the file's bytes.
 */
export function uploadUrlOf(id: string, requestUrl: URL, publicBaseUrl: string | undefined): string {
  return `${publicBaseUrl ?? requestUrl.origin}/api/uploadSessions/${id}`;
}

/** The id in an address that uploadUrlOf has made. */
export function uploadIdOf(uploadUrl: string): string {
  return uploadUrl.slice(uploadUrl.lastIndexOf('/') + 1);
}
