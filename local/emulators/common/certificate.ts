import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** PEM texts: the certificate authority that clients must trust, and the server's certificate and private key. */
export interface EmulatorCertificate {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const VALID_FOR_DAYS = 7;

/**
 * Makes a certificate authority and, signed by it, a server certificate for localhost, 127.0.0.1, ::1 and the given host names.
 * Only in memory.
 */
export async function createCertificate(hosts: readonly string[] = []): Promise<EmulatorCertificate> {
  const notAfterDate = new Date(Date.now() + VALID_FOR_DAYS * 86_400_000);
  // Each authority has another name: a client that trusts two of one name may check a signature against the wrong one.
  // An elliptic curve key takes a millisecond, an RSA key up to a second.
  const common = { keyType: 'ec', algorithm: 'sha256', notAfterDate } as const;
  const authority = await generate([{ name: 'commonName', value: `Emulator CA ${randomUUID()}` }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
          ...hosts.map((value) => ({ type: 2, value }) as const),
        ],
      },
    ],
  });
  return { ca: authority.cert, cert: server.cert, key: server.private };
}

export type CaFile = ReturnType<typeof writeCaFile>;

/** Writes the authority's certificate to a new temporary file, for NODE_EXTRA_CA_CERTS or `curl --cacert`. */
export function writeCaFile({ ca }: EmulatorCertificate): { readonly path: string; remove(): void } {
  const { folder, remove } = writeTemporaryFiles({ 'ca.pem': ca });
  return { path: join(folder, 'ca.pem'), remove };
}

/** Writes texts by file name to a new folder. `remove` may be called twice. */
export function writeTemporaryFiles(files: Readonly<Record<string, string>>): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'emulator-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
