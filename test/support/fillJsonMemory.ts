import { request } from 'node:http';
import { MAX_JSON_BYTES_HELD } from '../../shared/common/limits.ts';
import type { Site } from './site.ts';

const FILES = 4;

/**
 * Fills the memory for files in JSON to its last byte with four files, which it holds until `hangUp`: Graph does not answer for them.
 * Settles once Graph has been called for each.
 */
export async function fillJsonMemory(site: Site, url: string): Promise<{ hangUp(): void }> {
  const contentBytes = Buffer.alloc(MAX_JSON_BYTES_HELD / FILES).toString('base64');
  const body = JSON.stringify({ name: 'large.bin', contentBytes });
  const called = site.graph.requests.length + FILES;
  site.graph.play({ error: 'hangBeforeHeaders', times: FILES });
  const hangUps = Array.from({ length: FILES }, () => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(url, { method: 'POST', agent: false, headers });
    outgoing.on('error', () => {}); // The test hangs up itself.
    outgoing.end(body);
    return () => outgoing.destroy();
  });
  while (site.graph.requests.length < called) await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    hangUp() {
      for (const hangUp of hangUps) hangUp();
    },
  };
}
