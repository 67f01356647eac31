/** learn.microsoft.com/graph/outlook-large-attachments shows the first; the second is what many tenants get; the others are Exchange's in national clouds. */
const UPLOAD_HOSTS = new Set([
  'outlook.office.com',
  'outlook.office365.com',
  'outlook.office365.us',
  'outlook-dod.office365.us',
  'partner.outlook.cn',
]);

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether an uploadUrl lies where Outlook's do, or is one of the proxy itself; for a proxy on this machine, the emulated Graph's on
 * this machine too.
 */
export function isUploadHost(uploadUrl: string, proxyUrl: string): boolean {
  if (isOfProxy(uploadUrl, proxyUrl)) return true;
  const address = URL.parse(uploadUrl);
  if (address?.protocol !== 'https:' || address.username !== '' || address.password !== '') return false;
  if (UPLOAD_HOSTS.has(address.host)) return true;
  return LOOPBACK.has(address.hostname) && LOOPBACK.has(new URL(proxyUrl).hostname);
}

/** Whether an address is one that the proxy has made for an upload. */
export function isOfProxy(uploadUrl: string, proxyUrl: string): boolean {
  const address = URL.parse(uploadUrl);
  return address?.origin === new URL(proxyUrl).origin && address.pathname.startsWith('/api/uploadSessions/');
}
