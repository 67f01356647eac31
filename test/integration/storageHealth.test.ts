import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { type CaFile, createCertificate, writeCaFile } from '../../local/emulators/common/certificate.ts';
import { openContainer } from '../support/readWholeStore.ts';
import { type Site, startSite, type TestSiteOptions } from '../support/site.ts';

const CLIENT_ID = '7b0e3d1c-6c1f-4a5e-9d55-0e4a2f6c8b13';

async function readiness(site: Site): Promise<{ status: number; storage: string | undefined }> {
  const answer = await fetch(`${site.api}/health/ready`);
  const storage = /"storage":"(\w+)"/.exec(await answer.text())?.[1];
  return { status: answer.status, storage };
}

async function withSite(options: TestSiteOptions, use: (site: Site) => Promise<void>): Promise<void> {
  const site = await startSite(options);
  try {
    await use(site);
  } finally {
    await site.close();
  }
}

test('readiness follows the account: there, gone, and there again', async () => {
  const storage = await startAzurite();
  await withSite({ storage }, async (site) => {
    expect(await readiness(site)).toEqual({ status: 200, storage: 'ok' });

    await storage.stop();
    expect(await readiness(site)).toEqual({ status: 503, storage: 'failing' });
    const line = await site.findEvent('storageFailed');
    expect(line['cause']).toMatch(/StorageUnavailable.*ECONNREFUSED/);

    await storage.restart();
    expect(await readiness(site)).toEqual({ status: 200, storage: 'ok' });
  });
  await storage.stop();
});

test('a test whose site leaves a secret in the account in the clear fails', async () => {
  const site = await startSite({ storage: true });
  await readiness(site); // Which makes the container.
  const container = openContainer(site.storage?.connectionString ?? '');
  await container.getBlockBlobClient('x').upload('authtoken=1', 11);

  await expect(site.close()).rejects.toThrow(/an uploadUrl/);
});

describe('with an identity instead of a key', () => {
  let azurite: Azurite;
  let ca: CaFile;
  let settings: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const certificate = await createCertificate();
    ca = writeCaFile(certificate);
    azurite = await startAzurite({ certificate });
    settings = {
      AzureWebJobsStorage__blobServiceUri: azurite.blobUrl,
      AzureWebJobsStorage__credential: 'managedidentity',
      NODE_EXTRA_CA_CERTS: ca.path, // Instead of the emulated Graph's: nothing is asked of it here.
    };
  });
  afterAll(async () => {
    await azurite.stop();
    ca.remove();
  });

  test.each([
    ['system-assigned', null, {}, {}],
    ['user-assigned', CLIENT_ID, { AzureWebJobsStorage__clientId: CLIENT_ID }, { userAssigned: [CLIENT_ID] }],
  ])('reaches the account with the %s one', async (_, clientId, more, identity) => {
    await withSite({ settings: { ...settings, ...more }, identity }, async (site) => {
      expect(await readiness(site)).toEqual({ status: 200, storage: 'ok' });
      const asked = site.identity.requests.filter(({ resource }) => resource?.startsWith('https://storage.azure.com'));
      expect(asked.map((request) => request.clientId)).toEqual([clientId]);
    });
  });

  test('says so where the app does not have that identity', async () => {
    await withSite({ settings: { ...settings, AzureWebJobsStorage__clientId: CLIENT_ID } }, async (site) => {
      expect(await readiness(site)).toEqual({ status: 503, storage: 'failing' });
      const line = await site.findEvent('storageFailed');
      expect(line['cause']).toMatch(/identity/i);
    });
  });
});
