import path from 'node:path';
import type { Azurite } from '../../local/azurite.ts';
import { type EmulatedSite, type SiteOptions, startEmulatedSite } from '../../local/emulatedSite.ts';
import type { HostLogLine } from '../../local/host/log.ts';
import { findSecrets } from './findSecrets.ts';
import { takeAccount } from './sharedStorage.ts';
import { until } from './until.ts';

/** The folder of host.json. The app must have been built: `npm run build`. */
export const REPOSITORY_ROOT = path.join(import.meta.dirname, '..', '..');

/** A line that the app itself wrote as JSON. */
export type AppEvent = Readonly<Record<string, unknown>>;

export interface Site extends EmulatedSite {
  /** Where the functions answer, prefix included. */
  readonly api: string;
  /** Everything that the host, the worker's console and the app wrote. */
  readonly lines: readonly HostLogLine[];
  /** The app's own lines with this `event`, oldest first. */
  events(event: string): AppEvent[];
  /** Waits for such a line that fits: an answer may overtake its log line. */
  findEvent(event: string, fits?: (line: AppEvent) => boolean): Promise<AppEvent>;
  /** Rejects where a log line or the storage account holds a secret, so that every test that starts a site looks for them. */
  close(): Promise<void>;
}

export interface TestSiteOptions extends Partial<Omit<SiteOptions, 'storage'>> {
  /** True: a new account in the Azurite that all tests share. Default false: no storage is set. */
  readonly storage?: boolean | Azurite;
}

/** Starts the built app with emulated identity and Graph, and keeps what is logged. */
export async function startSite({ storage = false, ...options }: TestSiteOptions = {}): Promise<Site> {
  const lines: HostLogLine[] = [];
  const site = await startEmulatedSite({
    appRoot: REPOSITORY_ROOT,
    ...options,
    storage: storage === true ? takeAccount() : storage,
    host: { log: (line) => lines.push(line), ...options.host },
  });
  const events = (event: string) => lines.flatMap(({ message }) => readEvent(message, event));
  return {
    ...site,
    api: `${site.url}/api`,
    lines,
    events,
    findEvent: (event, fits = () => true) =>
      until(`a log line of event "${event}" that fits`, () => events(event).find(fits)),
    async close() {
      const stored = await readStored(site);
      await site.close();
      const inStore = findSecrets(site, stored);
      if (inStore.length > 0) throw new Error(`The storage account holds ${inStore.join(', ')} in the clear.`);
      for (const { message, category } of lines) {
        // The platform's own line for a request that the library could not take has a stack; it is not the app's.
        const secrets = findSecrets(site, message).filter((kind) => category !== 'host' || kind !== 'a stack');
        if (secrets.length > 0) throw new Error(`A log line holds ${secrets.join(', ')}: ${message}`);
      }
    },
  };
}

/** Empty where there is no account, or the test has left it stopped. */
async function readStored({ storage }: EmulatedSite): Promise<string> {
  if (storage === undefined) return '';
  const isRunning = await fetch(storage.blobUrl).then(
    () => true,
    () => false,
  );
  if (!isRunning) return '';
  const { readWholeStore } = await import('./readWholeStore.ts'); // Loads a large library, which few tests need.
  return readWholeStore(storage.connectionString);
}

function readEvent(message: string, event: string): AppEvent[] {
  if (!message.startsWith('{')) return [];
  const line: unknown = JSON.parse(message);
  return typeof line === 'object' && line !== null && 'event' in line && line.event === event ? [{ ...line }] : [];
}

/** A body that every Outlook family takes; the size is over the smallest that Graph takes. */
export const ATTACHMENT_ITEM = { AttachmentItem: { attachmentType: 'file', name: 'report.pdf', size: 5_242_880 } };

/** The same for To Do tasks. */
export const ATTACHMENT_INFO = { attachmentInfo: ATTACHMENT_ITEM.AttachmentItem };

/** Posts JSON, as text or as a value to be serialised. */
export function postJson(
  url: string,
  body: unknown = ATTACHMENT_ITEM,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
  });
}

export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Matches a whole error body in Graph's shape, `target` and `details` included where it has them. */
export function graphErrorBody(code: string): unknown {
  return {
    error: expect.objectContaining({
      code,
      message: expect.stringMatching(/\S/),
      innerError: {
        date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
        'request-id': expect.stringMatching(GUID),
        'client-request-id': expect.stringMatching(GUID),
      },
    }),
  };
}

export interface GraphError {
  readonly code: string;
  readonly message: string;
  readonly target?: string;
  readonly details?: readonly { readonly code: string; readonly message: string; readonly target: string }[];
}

/** Demands the status and a whole error in Graph's shape with the code, and gives the error back. */
export async function expectGraphError(response: Response, status: number, code: string): Promise<GraphError> {
  const body: unknown = await response.json();
  expect([response.status, body]).toEqual([status, graphErrorBody(code)]);
  return (body as { error: GraphError }).error; // The line above has checked it.
}
