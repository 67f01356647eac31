import { QueueClient } from '@azure/storage-queue';
import { createCertificate } from '../../local/emulators/common/certificate.ts';
import type { HostLogLine } from '../../local/host/log.ts';
import type { LocalHost } from '../../local/host/startHost.ts';
import { sealJobId } from '../../shared/jobs/jobMessage.ts';
import { JOB_POISON_QUEUE, JOB_QUEUE } from '../../shared/jobs/jobQueue.ts';
import type { JobStore } from '../../shared/jobs/jobRecord.ts';
import { idIn, openJobStore } from './jobRecords.ts';
import { refuseSecrets, startInstance } from './secondHost.ts';
import { postJson, type Site, startSite, type TestSiteOptions } from './site.ts';
import { type SourceFile, type SourceServer, startSourceServer } from './sourceServer.ts';
import { until } from './until.ts';
import type { TestFile } from './uploads.ts';

/** Of this shape, and of no use elsewhere. */
export const JOB_KEY = 'a key of the tests, for their messages';

const SIGNATURE = 'of-the-source';
/** What makes a platform's host leave the functions of the queue alone. */
const NO_TRIGGER = { 'AzureWebJobs.attachJob.Disabled': 'true', 'AzureWebJobs.attachJobPoison.Disabled': 'true' };

const OWN_SECRETS = [JOB_KEY, SIGNATURE];

export interface JobSite extends Site {
  readonly sources: SourceServer;
  readonly queue: QueueClient;
  readonly poison: QueueClient;
  readonly store: JobStore;
  /** The lines of runs that have ended, in all workers. */
  readonly runs: readonly JobRun[];
  /** Starts an instance that works on jobs. */
  startWorker(): Promise<LocalHost>;
  /** Holds the file at the source, and asks for it to be attached. */
  ask(file: TestFile, options?: AskOptions): Promise<Response>;
}

/** What a run has logged. */
export interface JobRun {
  readonly code: string;
  readonly reason?: string;
  readonly upload?: string;
  readonly ms: { readonly total: number };
}

export interface AskOptions {
  readonly item?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly source?: Partial<SourceFile>;
  /** Of the file at the source; absent: a new one. */
  readonly path?: string;
}

/** A site with an account, a source that the policy admits, and no worker yet: its own host has the trigger turned off. */
export async function startJobSite(options: TestSiteOptions = {}): Promise<JobSite> {
  const certificate = await createCertificate();
  const sources = await startSourceServer(certificate);
  const settings = {
    JOB_KEY,
    POLICY: JSON.stringify({
      callers: [
        {
          name: 'workflow',
          functionKey: true,
          kinds: ['message', 'event', 'todoTask'],
          mailboxes: ['*'],
          sources: [`${sources.origin}/`],
        },
      ],
    }),
    AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
    ...options.settings,
  };
  const graph = { appOnlyFamilies: 'all', ...options.graph } as const;
  const lines: HostLogLine[] = [];
  const site = await startSite({
    storage: true,
    certificate,
    ...options,
    graph,
    settings: { ...settings, ...NO_TRIGGER },
  });
  const connectionString = site.storage?.connectionString ?? '';
  const workers: LocalHost[] = [];
  const queue = new QueueClient(connectionString, JOB_QUEUE);
  const poison = new QueueClient(connectionString, JOB_POISON_QUEUE);

  const runs: JobRun[] = [];

  async function startWorker(): Promise<LocalHost> {
    const log = (line: HostLogLine) => {
      lines.push(line);
      if (line.message.startsWith('{"event":"job"')) runs.push(JSON.parse(line.message));
    };
    const worker = await startInstance(site, settings, log, { restartWaitMs: 200, closeGraceMs: 300 });
    workers.push(worker);
    return worker;
  }

  return {
    ...site,
    sources,
    queue,
    poison,
    store: openJobStore(connectionString),
    runs,
    startWorker,
    ask(
      file,
      {
        item = 'me/messages/AAMkAGadele-message-1%3D',
        headers = {},
        source = {},
        path = `/${crypto.randomUUID()}`,
      } = {},
    ) {
      sources.put(path, { bytes: file.bytes, contentType: 'application/pdf', ...source });
      return postJson(
        `${site.api}/${item}/attachments`,
        { name: file.name, sourceUrl: `${sources.origin}${path}?sig=${SIGNATURE}` },
        { prefer: 'respond-async', ...headers },
      );
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
      await sources.close();
      await site.close();
      refuseSecrets(site, lines, OWN_SECRETS);
    },
  };
}

/** What the trigger's queue holds when the app has sent it: whoever has the key can make one. */
export function messageFor(location: string, key = JOB_KEY): string {
  return Buffer.from(sealJobId(idIn(location), key)).toString('base64');
}

/** Asks as the engine of Logic Apps does, but more often, until the job is over. */
export function untilOver(location: string): Promise<Response> {
  const look = async () => {
    const answer = await fetch(location);
    return answer.status === 202 ? answer.arrayBuffer().then(() => undefined) : answer;
  };
  return until('the end of the job', look, 100);
}

export function locationOf(answer: Response): string {
  const location = answer.headers.get('location');
  if (answer.status !== 202 || location === null) throw new Error(`No job: ${answer.status}`);
  return location;
}
