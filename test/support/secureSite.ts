import { createCertificate } from '../../local/emulators/common/certificate.ts';
import { type Site, startSite, type TestSiteOptions } from './site.ts';
import { startTlsFront, type TlsFront } from './tlsFront.ts';

/** A site whose callers see it over https: the uploadUrls that it gives out lead to the front. */
export interface SecureSite extends Site {
  readonly front: TlsFront;
  /** Where callers reach the functions, prefix included. */
  readonly secureApi: string;
}

/** Clients trust the front by the same authority as the emulated Graph (`caPath`). */
export async function startSecureSite(options: TestSiteOptions = {}): Promise<SecureSite> {
  const certificate = await createCertificate();
  const front = await startTlsFront(certificate);
  const settings = { PUBLIC_BASE_URL: front.url, ...options.settings };
  const site = await startSite({ ...options, certificate, settings });
  front.forwardTo(site.url);
  return {
    ...site,
    front,
    secureApi: `${front.url}/api`,
    async close() {
      await front.close();
      await site.close();
    },
  };
}
