import { once } from 'node:events';
import type { Server } from 'node:http';

export type Listener = Awaited<ReturnType<typeof listen>>;

/** Listens on 127.0.0.1; port 0 or absent means a free one. */
export async function listen(server: Server, port = 0) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The emulator does not listen on a port.');
  return {
    port: address.port,
    /** Closes at once: open connections are destroyed. */
    async close(): Promise<void> {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** The body as text, or undefined when it is over `maxBytes` (the rest is still read). Rejects when the client goes away. */
export async function readBody(request: AsyncIterable<Buffer>, maxBytes: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes <= maxBytes) parts.push(part);
  }
  return bytes <= maxBytes ? Buffer.concat(parts).toString() : undefined;
}
