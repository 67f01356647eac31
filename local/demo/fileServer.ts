import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:https';
import path from 'node:path';
import type { EmulatorCertificate } from '../emulators/certificate.ts';
import { listen } from '../emulators/listen.ts';

export interface FileServer {
  readonly origin: string;
  /** The address of the file. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves one file on loopback, also from a byte on, and says how many bytes have gone. */
export async function startFileServer(
  { cert, key }: EmulatorCertificate,
  file: string,
  onProgress: (servedBytes: number) => void,
): Promise<FileServer> {
  const { size } = statSync(file);
  const server = createServer({ cert, key }, ({ headers }, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    const isPartial = headers.range !== undefined && start < size;
    response.writeHead(isPartial ? 206 : 200, {
      etag: '"1"',
      'content-length': size - start,
      ...(isPartial && { 'content-range': `bytes ${start}-${size - 1}/${size}` }),
    });
    let served = start;
    createReadStream(file, { start })
      .on('data', (chunk) => {
        served += chunk.length;
        onProgress(served);
      })
      .pipe(response);
  });
  const { port, close } = await listen(server);
  const origin = `https://localhost:${port}`;
  return { origin, url: `${origin}/${encodeURIComponent(path.basename(file))}`, close };
}
