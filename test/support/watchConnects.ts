import { once } from 'node:events';
import { createServer } from 'node:net';

/** An address that the process asked the system to connect to. */
export interface Connect {
  readonly address: string;
  readonly port: number;
}

export interface ConnectWatch {
  /** What was asked for since the last call. */
  take(): readonly Connect[];
  stop(): void;
}

interface TcpHandle {
  connect(request: unknown, address: string, port: number): number;
  connect6(request: unknown, address: string, port: number): number;
}

const ECONNREFUSED = -111;

/**
 * Stands below all of Node's networking, where a socket asks the system for a connection: notes the address and refuses. So
 * whatever looks up, filters or pins addresses above is the real thing, and nothing leaves the machine.
 */
export async function watchConnects(): Promise<ConnectWatch> {
  const handles = await tcpHandles();
  const { connect, connect6 } = handles;
  const seen: Connect[] = [];
  const note = (_request: unknown, address: string, port: number) => {
    seen.push({ address, port });
    return ECONNREFUSED;
  };
  Object.assign(handles, { connect: note, connect6: note });
  return {
    take: () => seen.splice(0),
    stop: () => void Object.assign(handles, { connect, connect6 }),
  };
}

/** The prototype of the handles, which Node gives no name. */
async function tcpHandles(): Promise<TcpHandle> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const handle: unknown = Reflect.get(server, '_handle');
  const prototype: unknown = typeof handle === 'object' && handle !== null ? Object.getPrototypeOf(handle) : undefined;
  server.close();
  if (!isTcpHandle(prototype)) throw new Error('This version of Node keeps its TCP handles elsewhere.');
  return prototype;
}

function isTcpHandle(value: unknown): value is TcpHandle {
  return typeof value === 'object' && value !== null && 'connect' in value && 'connect6' in value;
}
