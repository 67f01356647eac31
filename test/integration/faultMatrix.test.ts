import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { EVERY_CELL, SAMPLE } from '../support/faultMatrix/cells.ts';
import { playMatrix, type Run, type Secrets } from '../support/faultMatrix/playMatrix.ts';
import { judge } from '../support/faultMatrix/renderMatrix.ts';
import { isExhaustive } from '../support/runs.ts';
import { expectGraphError, postJson, startSite } from '../support/site.ts';

/** A stack frame, plain or within JSON. */
const STACK_FRAME = /(?:^|\s|\\n)at .+:\d+:\d+/;

/** In full in `npm run test:exhaustive`. */
const CELLS = isExhaustive ? EVERY_CELL : SAMPLE;

let runs: readonly Run[];

beforeAll(async () => {
  runs = await playMatrix(CELLS);
});

test('answers every cell as the requirements ask, with the right number of calls to Graph', () => {
  const observations = runs.flatMap((run) => run.observations);

  expect(observations).toHaveLength(CELLS.faults.length * CELLS.budgets.length * CELLS.tokens.length);
  expect(observations.flatMap(judge)).toEqual([]);
});

test('answers within the budget where Graph takes the connection and never shakes hands', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.on('error', () => {})));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const site = await startSite({
    settings: { GRAPH_BASE_URL: `https://localhost:${port}`, REQUEST_TIMEOUT_MS: '1000' },
  });
  try {
    const answer = await postJson(`${site.api}/me/messages/any/attachments/createUploadSession`);

    await expectGraphError(answer, 504, 'TimedOut');
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
    await site.close();
  }
});

/** All cells of a run share one fetch; @azure/identity tries a failing endpoint four times. */
const MOST_TOKEN_REQUESTS = { fine: 1, slow: 2, failing: 8, expiring: 5 } as const;

test.each(CELLS.tokens)('asks the identity endpoint a few times for many requests (token %s)', (token) => {
  for (const run of runs.filter((candidate) => candidate.token === token)) {
    expect(run.tokenRequests).toBeLessThanOrEqual(MOST_TOKEN_REQUESTS[token]);
  }
});

const WITHOUT_TOKEN = CELLS.tokens.filter((token) => token === 'failing' || (token === 'slow' && isExhaustive));

test.each(WITHOUT_TOKEN)('says in the log that the token is the fault (token %s)', (token) => {
  const [run] = runs.filter(
    (candidate) => candidate.token === token && (token === 'failing' || candidate.budget === 'short'),
  );
  const lines = run?.log.filter((line) => line.includes('"code":"TokenUnavailable"')) ?? [];

  expect(lines).toHaveLength(CELLS.faults.length);
  for (const line of lines) expect(line).toContain('"cause":"');
});

test('writes no secret, no item id, no file name, no plain mailbox and no stack to any log', () => {
  for (const { log, secrets } of runs) {
    expect(log.length).toBeGreaterThan(CELLS.faults.length);
    expect(log.filter((line) => holdsSecret(line, secrets))).toEqual([]);
  }
});

test('finds a secret where there is one', () => {
  const [run] = runs.filter(({ token }) => token === 'fine');
  if (run === undefined) throw new Error('No run.');
  const { tokens, uploadUrls, identityHeader, itemIds, mailboxes, fileName } = run.secrets;
  expect(tokens.size).toBeGreaterThan(0);
  expect(uploadUrls.size).toBeGreaterThan(0);
  const planted = [tokens, uploadUrls, itemIds, mailboxes].flatMap(([...values]) => values.slice(0, 1));

  for (const secret of [...planted, identityHeader, fileName, 'Error\n    at send (file.ts:1:2)']) {
    expect(holdsSecret(JSON.stringify({ text: secret }), run.secrets)).toBe(true);
  }
});

function holdsSecret(line: string, secrets: Secrets): boolean {
  const { tokens, uploadUrls, identityHeader, itemIds, mailboxes, fileName } = secrets;
  const needles = [...tokens, ...uploadUrls, identityHeader, ...itemIds, ...mailboxes, fileName, 'authtoken'];
  return needles.some((needle) => line.includes(needle)) || STACK_FRAME.test(line);
}
