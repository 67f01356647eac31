import { once } from 'node:events';
import type { Server } from 'node:http';

export interface Listener {
  readonly port: number;
  /** Closes at once: open connections are destroyed, hanging answers with them. */
  close(): Promise<void>;
}

/** Listens on 127.0.0.1; port 0 or absent means a free one. */
export async function listen(server: Server, port = 0): Promise<Listener> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The emulator does not listen on a port.');
  return {
    port: address.port,
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
