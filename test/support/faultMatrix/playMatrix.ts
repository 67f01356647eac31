import { setTimeout as delay } from 'node:timers/promises';
import { ATTACHMENT_ITEM, postJson, type Site, startSite } from '../site.ts';
import {
  BUDGETS_MS,
  type Budget,
  type Cell,
  EVERY_CELL,
  FAULT_CASES,
  type FaultCase,
  REFUSAL_MS,
  type Selection,
  SLOW_TOKEN_MS,
  type TokenCondition,
} from './cells.ts';
import { readError } from './graphShape.ts';

/** What came of one cell. */
export interface Observation {
  readonly cell: Cell;
  readonly status: number;
  /** `Created`, the code in Graph's shape, or `no Graph shape`. */
  readonly code: string;
  /** Calls that the emulated Graph took. */
  readonly attempts: number;
  /** Calls by the log line. */
  readonly loggedAttempts: unknown;
  readonly loggedCode: unknown;
  /** Milliseconds between the calls on which the fault was played. */
  readonly gapsMs: readonly number[];
}

/** One process of the app with its cells: the token's condition and the budget belong to the process. */
export interface Run {
  readonly token: TokenCondition;
  readonly budget: Budget;
  readonly observations: readonly Observation[];
  /** Requests to the identity endpoint while the cells ran. */
  readonly tokenRequests: number;
  /** All that was logged by host, worker and app. */
  readonly log: readonly string[];
  readonly secrets: Secrets;
}

/** What no log line may hold, as it was used in the run. */
export interface Secrets {
  readonly tokens: ReadonlySet<string>;
  readonly uploadUrls: ReadonlySet<string>;
  readonly identityHeader: string;
  readonly itemIds: ReadonlySet<string>;
  readonly mailboxes: ReadonlySet<string>;
  readonly fileName: string;
}

/** Few enough at a time that a busy machine does not eat the short budget. */
const BATCH = { short: 10, long: 14 } as const satisfies Record<Budget, number>;
/** Between the starts of two cells. */
const SPACING_MS = 5;
const SHORT_LIFE_SECONDS = 2;
const LONG_LIFE_SECONDS = 86_400;
/** Processes of the app at a time. */
const LANES = 2;

/** Plays the cells; all of them take a minute. */
export async function playMatrix({ faults, budgets, tokens }: Selection = EVERY_CELL): Promise<readonly Run[]> {
  const waiting = budgets.flatMap((budget) => tokens.map((token) => ({ token, budget })));
  const runs: Run[] = [];
  const lane = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      runs.push(await play(faults, next.token, next.budget));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return runs;
}

async function play(faults: readonly FaultCase[], token: TokenCondition, budget: Budget): Promise<Run> {
  const site = await startSite({
    settings: { ALLOW_ANY_MAILBOX: 'true', REQUEST_TIMEOUT_MS: String(BUDGETS_MS[budget]) },
    graph: { anyItem: true },
    identity: { lifetimeSeconds: endsBefore(token) ? SHORT_LIFE_SECONDS : LONG_LIFE_SECONDS },
  });
  try {
    await warmUp(site, token);
    const before = site.identity.requests.length;
    const observations: Observation[] = [];
    const bodies: string[] = [];
    for (const batch of batches(faults, token, budget)) {
      if (token === 'expiring') endToken(site);
      const played = await Promise.all(batch.map((cell, n) => delay(n * SPACING_MS).then(() => playCell(site, cell))));
      for (const { body, ...observation } of played) {
        observations.push(observation);
        bodies.push(body);
      }
    }
    return {
      token,
      budget,
      observations,
      tokenRequests: site.identity.requests.length - before,
      log: site.lines.map(({ message }) => message),
      secrets: secretsOf(site, bodies),
    };
  } finally {
    await site.close();
  }
}

/** A wait for a token is shared by those that come meanwhile: such cells go together. */
function batches(faults: readonly FaultCase[], token: TokenCondition, budget: Budget): Cell[][] {
  const cells = faults.map((fault) => ({ fault, token, budget }));
  const size = endsBefore(token) ? cells.length : BATCH[budget];
  return Array.from({ length: Math.ceil(cells.length / size) }, (_, n) => cells.slice(n * size, (n + 1) * size));
}

/** Whether the cells begin without a token at hand. */
function endsBefore(token: TokenCondition): boolean {
  return token === 'slow' || token === 'failing';
}

/** Lets the app load its libraries, then brings the token into its condition. */
async function warmUp({ api, identity }: Site, token: TokenCondition): Promise<void> {
  let status = 0;
  for (let call = 0; call < 20 && status !== 201; call++) {
    const answer = await postJson(`${api}/users/warm@contoso.example/messages/warm/attachments/createUploadSession`);
    status = answer.status;
  }
  if (status !== 201) throw new Error(`The site does not work before any fault: ${status}.`);
  if (!endsBefore(token)) return;
  await delay(SHORT_LIFE_SECONDS * 1000);
  identity.settings.lifetimeSeconds = LONG_LIFE_SECONDS;
  if (token === 'slow') identity.play('slow', { ms: SLOW_TOKEN_MS });
  else identity.play('failing');
}

/** The token ends, and the first calls of the batch take Graph a moment to refuse. */
function endToken({ identity, graph }: Site): void {
  identity.tokens.revokeAll();
  graph.settings.latencyMs = REFUSAL_MS;
  setTimeout(() => {
    graph.settings.latencyMs = 0;
  }, REFUSAL_MS - 20);
}

async function playCell(site: Site, cell: Cell): Promise<Observation & { body: string }> {
  const n = FAULT_CASES.indexOf(cell.fault);
  const nonce = `cell${n}${cell.budget}`;
  const itemId = cell.fault.id === 'none' ? nonce : `${cell.fault.id};nonce=${nonce}`;
  const path = `users/${mailbox(n)}/messages/${encodeURIComponent(itemId)}/attachments/createUploadSession`;
  const answer = await postJson(`${site.api}/${path}`);
  const body = await answer.text();
  // An answer of the host's own has no such id, and no line.
  const requestId = answer.headers.get('x-ms-invocation-id');
  const line =
    requestId === null ? {} : await site.findEvent('request', (candidate) => candidate['requestId'] === requestId);
  const calls = site.graph.requests.filter((call) => call.path.includes(`/${mailbox(n)}/`.replace('@', '%40')));
  const starts = calls.filter(({ error: fault }) => fault !== undefined).map(({ startedAt: at }) => at);
  return {
    body,
    cell,
    status: answer.status,
    code: answer.status === 201 ? codeOfSession(body) : readError(answer, body),
    attempts: calls.length,
    loggedAttempts: line['attempts'],
    loggedCode: line['code'],
    gapsMs: starts.slice(1).map((at, index) => at - (starts[index] ?? at)),
  };
}

function mailbox(n: number): string {
  return `mailbox${n}@contoso.example`;
}

function codeOfSession(body: string): string {
  const session: unknown = JSON.parse(body);
  const isSession = typeof session === 'object' && session !== null && 'uploadUrl' in session;
  return isSession ? 'Created' : 'no uploadSession';
}

function secretsOf({ graph, identity }: Site, bodies: readonly string[]): Secrets {
  const uploadUrls = bodies.flatMap((body) => /"uploadUrl":"([^"]+)"/.exec(body)?.[1] ?? []);
  return {
    tokens: new Set(graph.requests.flatMap(({ headers }) => headers.authorization?.replace(/^Bearer /, '') ?? [])),
    uploadUrls: new Set(uploadUrls),
    identityHeader: identity.env.IDENTITY_HEADER,
    itemIds: new Set(FAULT_CASES.map((_, n) => `cell${n}`)),
    mailboxes: new Set(FAULT_CASES.map((_, n) => mailbox(n))),
    fileName: ATTACHMENT_ITEM.AttachmentItem.name,
  };
}
