import { existsSync, readFileSync } from 'node:fs';
import { createCertificate, writeCaFile } from '../../local/emulators/common/certificate.ts';
import { send, startGraph } from './emulators.ts';

describe('the certificate of the emulators', () => {
  test('is trusted for localhost and 127.0.0.1 with its authority, and not without', async () => {
    const bench = await startGraph();
    const { port } = bench.graph;

    const byName = await bench.call('GET', `https://localhost:${port}/`);
    const byAddress = await bench.call('GET', `https://127.0.0.1:${port}/`);
    const stranger = await createCertificate();
    const untrusted = [send(`https://localhost:${port}/`), send(`https://localhost:${port}/`, { ca: stranger.ca })];

    for (const attempt of await Promise.allSettled(untrusted)) expect(attempt.status).toBe('rejected');
    expect([byName.status, byAddress.status]).toEqual([400, 400]);
    await bench.graph.close();
  });

  test('writes the authority to a file and removes it', async () => {
    const certificate = await createCertificate();

    const file = writeCaFile(certificate);
    const written = readFileSync(file.path, 'utf8');
    file.remove();
    file.remove();

    expect(written).toBe(certificate.ca);
    expect(existsSync(file.path)).toBe(false);
  });
});
