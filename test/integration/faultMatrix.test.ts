import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { BUDGETS, BUDGETS_MS, FAULT_CASES, TOKENS } from '../support/faultMatrix/cells.ts';
import { playMatrix, type Run, type Secrets } from '../support/faultMatrix/playMatrix.ts';
import { judge, renderMatrix } from '../support/faultMatrix/renderMatrix.ts';
import { expectGraphError, postJson, REPOSITORY_ROOT, startSite } from '../support/site.ts';

/** A stack frame, plain or within JSON. */
const STACK_FRAME = /(?:^|\s|\\n)at .+:\d+:\d+/;

let runs: readonly Run[];

beforeAll(async () => {
  runs = await playMatrix();
});

test('answers every cell in time, as the requirements ask, with the right number of calls to Graph', () => {
  const observations = runs.flatMap((run) => run.observations);

  expect(observations).toHaveLength(FAULT_CASES.length * BUDGETS.length * TOKENS.length);
  expect(observations.flatMap(judge)).toEqual([]);
});

test('agrees with docs/faults.md', () => {
  const documented = readFileSync(join(REPOSITORY_ROOT, 'docs', 'faults.md'), 'utf8');

  expect(renderMatrix(runs.flatMap((run) => run.observations))).toBe(documented);
});

/** Of a machine on which other tests run as well. */
const BUSY_MACHINE_MS = 1000;

test('answers within the budget where Graph takes the connection and never shakes hands', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.on('error', () => {})));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const site = await startSite({
    settings: { GRAPH_BASE_URL: `https://localhost:${port}`, REQUEST_TIMEOUT_MS: String(BUDGETS_MS.long) },
  });
  try {
    const startedAt = performance.now();
    const answer = await postJson(`${site.api}/me/messages/any/attachments/createUploadSession`);
    const elapsedMs = performance.now() - startedAt;

    await expectGraphError(answer, 504, 'TimedOut');
    expect(elapsedMs).toBeLessThan(BUDGETS_MS.long + BUSY_MACHINE_MS);
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
    await site.close();
  }
});

/** All cells of a run share one fetch; @azure/identity tries a failing endpoint four times. */
const MOST_TOKEN_REQUESTS = { fine: 1, slow: 2, failing: 8, expiring: 5 } as const;

test.each(TOKENS)('asks the identity endpoint a few times for many requests (token %s)', (token) => {
  for (const run of runs.filter((candidate) => candidate.token === token)) {
    expect(run.tokenRequests).toBeLessThanOrEqual(MOST_TOKEN_REQUESTS[token]);
  }
});

test.each(['slow', 'failing'] as const)('says in the log that the token is the fault (token %s)', (token) => {
  const [run] = runs.filter((candidate) => candidate.token === token && candidate.budget === 'short');
  const lines = run?.log.filter((line) => line.includes('"code":"TokenUnavailable"')) ?? [];

  expect(lines).toHaveLength(FAULT_CASES.length);
  for (const line of lines) expect(line).toContain('"cause":"');
});

test('writes no secret, no item id, no file name, no plain mailbox and no stack to any log', () => {
  for (const { log, secrets } of runs) {
    expect(log.length).toBeGreaterThan(FAULT_CASES.length);
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
