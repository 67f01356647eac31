import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import { type AttachSite, startAttachSite } from '../support/attachSite.ts';
import { growthDuring } from '../support/residentMemory.ts';
import { fileOf, type TestFile } from '../support/uploads.ts';

const MEBIBYTE = 1024 * 1024;
const AT_ONCE = 8;
/** For each file a piece that Graph has not answered for, what is on its way, and what V8 has not collected yet. */
const MOST_GROWTH_MEBIBYTES = AT_ONCE * 8 + 64;

const file = fileOf(150_000_000);

let site: AttachSite;

beforeAll(async () => {
  site = await startAttachSite({ graph: { anyItem: true } });
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

interface Sender {
  readonly answered: Promise<number>;
  /** How much of the body has left this process. */
  sentBytes(): number;
}

/** Sends the file chunked, as fast as it is taken. */
function send(n: number, file: TestFile): Sender {
  const item = `users/${mailbox(n)}/messages/memory${n}/attachments`;
  const outgoing: ClientRequest = request(`${site.api}/${item}?name=a&size=${file.bytes.length}`, {
    method: 'POST',
    agent: false,
  });
  let written = 0;
  const write = async () => {
    for (let at = 0; at < file.bytes.length; at += MEBIBYTE) {
      const part = file.bytes.subarray(at, at + MEBIBYTE);
      if (!outgoing.write(part)) await once(outgoing, 'drain');
      written += part.length;
    }
    outgoing.end();
  };
  const answered = once(outgoing, 'response').then(([incoming]) => {
    incoming.resume();
    return incoming.statusCode;
  });
  return { answered: Promise.all([answered, write()]).then(([status]) => status), sentBytes: () => written };
}

function attachedHashes(): readonly string[] {
  return Array.from({ length: AT_ONCE }, (_, n) =>
    site.graph.attachments(mailbox(n), `memory${n}`).map(({ sha256 }) => sha256),
  ).flat();
}

/** Of the file that goes to this mailbox, how much Graph has had. */
function receivedBytes(n: number): number {
  const pieces = site.graph.requests.filter(
    ({ method, path }) => method === 'PUT' && decodeURIComponent(path).includes(mailbox(n)),
  );
  return pieces.reduce((sum, { bytes }) => sum + bytes, 0);
}

function mailbox(n: number): string {
  return `mailbox${n}@contoso.example`;
}

function sendAll(file: TestFile): readonly Sender[] {
  return Array.from({ length: AT_ONCE }, (_, n) => send(n, file));
}

function statuses(senders: readonly Sender[]): Promise<readonly number[]> {
  return Promise.all(senders.map(({ answered }) => answered));
}

test('holds a piece of each file and no more, however large the files are', async () => {
  await send(AT_ONCE, fileOf(4_000_000)).answered; // Everything is loaded.

  const answered = statuses(sendAll(file));
  const growth = await growthDuring(site.host.workerPid, answered);

  process.stdout.write(`${AT_ONCE} files of 150 MB: the worker grew by ${Math.round(growth)} MiB\n`);
  expect(growth).toBeLessThan(MOST_GROWTH_MEBIBYTES);
  expect(await answered).toEqual(Array(AT_ONCE).fill(201));
  expect(attachedHashes()).toEqual(Array(AT_ONCE).fill(file.sha256));
});

/** A piece, and what the system holds in the sockets between four ends: tens of megabytes. Unhindered it would be the file. */
const MOST_AHEAD_BYTES = 64 * MEBIBYTE;

test('slows the sender down where the upload host is slow', async () => {
  site.graph.settings.uploadBytesPerSecond = 20_000_000;

  const senders = sendAll(file);
  const answered = statuses(senders);
  let mostAhead = 0;
  const watch = setInterval(() => {
    for (const [n, { sentBytes }] of senders.entries()) mostAhead = Math.max(mostAhead, sentBytes() - receivedBytes(n));
  }, 20);
  const growth = await growthDuring(site.host.workerPid, answered);
  clearInterval(watch);

  process.stdout.write(
    `slow upload host: the worker grew by ${Math.round(growth)} MiB, senders ${mostAhead} bytes ahead\n`,
  );
  expect(mostAhead).toBeLessThan(MOST_AHEAD_BYTES);
  expect(growth).toBeLessThan(MOST_GROWTH_MEBIBYTES);
  expect(await answered).toEqual(Array(AT_ONCE).fill(201));
});
