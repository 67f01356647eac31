import { ADELE } from '../../local/emulators/graph/seed.ts';
import { type AttachSite, ITEMS, startAttachSite, WAYS, type Way } from '../support/attachSite.ts';
import { isExhaustive } from '../support/runs.ts';
import { fileOf } from '../support/uploads.ts';

const SESSION_FROM_BYTES = 3_000_000;
const MAX_PIECE_BYTES = 3_932_160;
const SIZES = [0, 1, 1_000_000, 2_999_999, 3_000_000, 3_932_160, 3_932_161, 20_000_000];
const ALL_WAYS: readonly Way[] = ['with its length', 'chunked', 'in JSON', 'from an address', "in a workflow's chunks"];

/** What the platform, a file in JSON and Outlook take at most: learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger */
const LARGEST: readonly (readonly [Way, number])[] = [
  ['with its length', 104_857_600],
  ['in JSON', 25 * 1024 * 1024],
  ['chunked', 150_000_000],
  ['from an address', 150_000_000],
  ["in a workflow's chunks", 150_000_000],
];

let site: AttachSite;

beforeAll(async () => {
  site = await startAttachSite();
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

async function attachAndCheck(way: Way, item: keyof typeof ITEMS, size: number): Promise<void> {
  const { path, id } = ITEMS[item];
  const file = fileOf(size, 'Angebot für Zoë – 見積書.pdf');

  const answer = await WAYS[way](site, path, file);

  expect([answer.status, JSON.parse(answer.body)]).toEqual([
    way === "in a workflow's chunks" ? 200 : 201,
    expect.objectContaining({
      '@odata.type': `#microsoft.graph.${item === 'task' ? 'taskFileAttachment' : 'fileAttachment'}`,
      id: site.graph.attachments(ADELE.id, id)[0]?.id,
      name: file.name,
      contentType: 'application/pdf',
      size: expect.any(Number),
      lastModifiedDateTime: expect.any(String),
      ...(item !== 'task' && { isInline: false, contentId: null }),
    }),
  ]);
  expect(answer.body).not.toContain('contentBytes');
  const attached = expect.objectContaining({
    name: file.name,
    contentType: 'application/pdf',
    size,
    sha256: file.sha256,
  });
  expect(site.graph.attachments(ADELE.id, id)).toEqual([attached]);
  const calls = site.graph.requests.filter(({ method }) => method !== 'GET').map(({ method }) => method);
  expect(calls).toEqual(['POST', ...Array<string>(piecesOf(size)).fill('PUT')]);
}

/** Of a file that goes up through a session; none for one that goes up in one call. */
function piecesOf(size: number): number {
  return size < SESSION_FROM_BYTES ? 0 : Math.ceil(size / MAX_PIECE_BYTES);
}

const isNothingInChunks = (way: Way, size: number) => way === "in a workflow's chunks" && size === 0;

/** Items other than messages differ in the calls to Graph, not in how the bytes come. */
const FEW_SIZES = [1, 3_932_161];

describe.each(['message', 'event', 'task'] as const)('attaches to a %s', (item) => {
  const sizes = item === 'message' || isExhaustive ? SIZES : FEW_SIZES;
  const rows = ALL_WAYS.flatMap((way) => sizes.map((size) => [size, way] as const));

  test.each(rows.filter(([size, way]) => !isNothingInChunks(way, size)))('a file of %d bytes %s', (size, way) =>
    attachAndCheck(way, item, size),
  );
});

if (isExhaustive) {
  test.each(LARGEST)('attaches to a message %s a file of %d bytes', (way, size) =>
    attachAndCheck(way, 'message', size),
  );
}
