import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { KEEP_ALIVE_MS } from '../common/limits.ts';

/** A connection that is opened before there is a request for it. */
export interface EarlyConnection {
  /** Once, when it is there; undefined where it failed, has ended, or has been idle for so long that the other side may be about to close it. */
  take(): Promise<Socket | undefined>;
}

export function openEarly(connect: buildConnector.connector, origin: string): EarlyConnection {
  const { host, hostname, protocol, port } = new URL(origin);
  const openedAt = performance.now();
  const ignore = () => {}; // An error that nobody listens to would end the process.
  const opened = new Promise<Socket | undefined>((resolve) => {
    connect({ host, hostname, protocol, port }, (_error, socket) => {
      socket?.on('error', ignore);
      resolve(socket ?? undefined);
    });
  });
  return {
    async take() {
      const socket = await opened;
      if (socket === undefined) return undefined;
      const isFresh = performance.now() - openedAt < KEEP_ALIVE_MS;
      if (!isFresh || socket.destroyed || socket.readableEnded) {
        socket.destroy();
        return undefined;
      }
      socket.off('error', ignore);
      return socket;
    },
  };
}
