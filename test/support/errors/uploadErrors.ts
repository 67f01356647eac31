import { postJson, type Site, startSite } from '../site.ts';
import { fileOf, type OpenedUpload, openUpload, putFile, putRange } from '../uploads.ts';
import type { Provocations } from './provocations.ts';

const FILE = fileOf(5_000_000);

/** One request for each code that the address of an upload, and what is kept of uploads, can give. */
export async function startUploadErrors(itemPath: string): Promise<Provocations> {
  const settings = { UPLOAD_URL: 'proxy', ALLOW_ANY_MAILBOX: 'true' };
  const site = await startSite({ storage: true, settings });
  const { connectionString = '', blobUrl = '' } = site.storage ?? {};
  const withoutStorage = await startSite({ settings });
  const closed = blobUrl.replace(/:\d+\//, ':9/');
  const storageDown = await startSite({
    settings: { ...settings, AzureWebJobsStorage: connectionString.replace(blobUrl, closed) },
  });
  // The emulated Graph names localhost in its uploadUrls, which is another host than this one.
  const otherHost = await startSite({
    settings: {
      ...settings,
      ...site.identity.env,
      NODE_EXTRA_CA_CERTS: site.caPath,
      GRAPH_BASE_URL: site.graph.url.replace('localhost', '127.0.0.1'),
      AzureWebJobsStorage: connectionString,
    },
  });

  const open = async (then: (upload: OpenedUpload) => Promise<Response>) => then(await openUpload(site, FILE));
  const send = ({ api }: Site) => postJson(`${api}/${itemPath}`);
  return {
    codes: {
      InvalidRange: () => open(({ url }) => fetch(url, { method: 'PUT', body: 'no range' })),
      RangeNotExpected: () => open(({ url }) => putRange(url, FILE, 1_000_000, 1_999_999)),
      UploadNotFound: () => fetch(`${site.api}/uploadSessions/${'A'.repeat(43)}`),
      UploadCancelled: () =>
        open(async ({ url }) => {
          await fetch(url, { method: 'DELETE' });
          return putRange(url, FILE, 0, 999_999);
        }),
      UploadCompleted: () =>
        open(async ({ url }) => {
          await putFile(url, FILE, FILE.bytes.byteLength);
          return fetch(url, { method: 'DELETE' });
        }),
      UploadBusy: () =>
        open(async ({ url }) => {
          site.graph.settings.uploadLatencyMs = 500;
          const answers = await Promise.all(Array.from({ length: 20 }, () => putRange(url, FILE, 0, 9_999)));
          site.graph.settings.uploadLatencyMs = 0;
          return answers.find(({ status }) => status === 409) ?? Response.error();
        }),
      UploadHostNotAllowed: () => send(otherHost),
      StorageNotConfigured: () => send(withoutStorage),
      StorageUnavailable: () => send(storageDown),
    },
    async close() {
      await Promise.all([withoutStorage, storageDown, otherHost].map((it) => it.close()));
      await site.close();
    },
  };
}
