import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '../until.ts';

/** A connection to the host on which a test writes what it likes, when it likes. */
export interface RawConnection {
  readonly socket: Socket;
  /** What has come back so far. */
  text(): string;
  write(text: string | Uint8Array): void;
  /** A chunk of a chunked body; an empty one ends it. */
  writeChunk(bytes: Uint8Array | string): void;
  /** Waits until what came back holds the text; rejects with what came instead when the connection ends. */
  waitFor(text: string): Promise<string>;
  /** Waits for the end of the connection, orderly or not. */
  ended(): Promise<void>;
}

export async function openConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let text = '';
  let hasEnded = false;
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    hasEnded = true;
  });
  return {
    socket,
    text: () => text,
    write: (bytes) => void socket.write(bytes),
    writeChunk(bytes) {
      socket.write(`${Buffer.byteLength(bytes).toString(16)}\r\n`);
      socket.write(bytes);
      socket.write('\r\n');
    },
    async waitFor(wanted) {
      await until(`"${wanted}"`, () => text.includes(wanted) || hasEnded);
      if (!text.includes(wanted)) {
        throw new Error(`"${wanted}" did not come, but: ${text}`);
      }
      return text;
    },
    async ended() {
      await until('the end of the connection', () => hasEnded);
    },
  };
}

/** The head of a request, ready to be written. */
export function headOf(method: string, target: string, headers: readonly string[] = []): string {
  return [`${method} ${target} HTTP/1.1`, 'Host: probe.test', ...headers, '', ''].join('\r\n');
}
