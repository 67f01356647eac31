import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import path from 'node:path';
import type { EmulatorCertificate } from './emulators/common/certificate.ts';
import { listen } from './listen.ts';

export interface FileServer {
  readonly origin: string;
  /** The URL of the file. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves one small file on loopback, so that `npm start` can show an attachment from a URL. */
export async function startFileServer({ cert, key }: EmulatorCertificate, file: string): Promise<FileServer> {
  const content = readFileSync(file);
  const server = createServer({ cert, key }, (_, response) => {
    response.writeHead(200, { 'content-length': content.length }).end(content);
  });
  const { port, close } = await listen(server);
  const origin = `https://localhost:${port}`;
  return { origin, url: `${origin}/${encodeURIComponent(path.basename(file))}`, close };
}
