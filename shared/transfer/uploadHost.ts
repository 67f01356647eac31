import type { Readable } from 'node:stream';
import type { Pool } from 'undici';
import { type Dispatched, dispatch } from '../graph/dispatch.ts';
import { createPool } from '../graph/pool.ts';
import { once } from '../once.ts';
import { type ByteRange, formatContentRange, lengthOf } from '../upload/byteRange.ts';
import type { UploadAddress } from './uploadAddress.ts';

/** Where the bytes go: Outlook's upload host, or Graph itself for To Do. Sends once, retries nothing. */
export interface UploadHost {
  /** @param token with To Do alone: Outlook refuses bytes that come with any Authorization */
  put(
    address: UploadAddress,
    range: ByteRange,
    bytes: Readable,
    signal: AbortSignal,
    token?: string,
  ): Promise<Dispatched>;
  /** Ends the session, and with it what it holds. */
  remove(address: UploadAddress, signal: AbortSignal, token?: string): Promise<Dispatched>;
}

/** @param connect makes the connections to one origin; a failure of it is not kept */
export function createUploadHost(
  connect: (origin: string) => Promise<{ readonly pool: Pool }> = createPool,
): UploadHost {
  const pools = new Map<string, () => Promise<Pool>>();

  /** Few origins: readUploadAddress takes those of the settings alone. */
  function poolOf(origin: string): Promise<Pool> {
    const pool = pools.get(origin) ?? once(async () => (await connect(origin)).pool);
    pools.set(origin, pool);
    return pool();
  }

  return {
    async put({ origin, path }, range, bytes, signal, token) {
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(lengthOf(range)),
        'content-range': formatContentRange(range),
        ...authorization(token),
      };
      // learn.microsoft.com/graph/todo-attachments: bytes go below `/content`, with a bearer token.
      const target = token === undefined ? path : `${path}/content`;
      return dispatch(await poolOf(origin), { method: 'PUT', path: target, headers, body: bytes }, signal);
    },
    async remove({ origin, path }, signal, token) {
      return dispatch(await poolOf(origin), { method: 'DELETE', path, headers: authorization(token) }, signal);
    },
  };
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
