import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import alerts from '../../../infra/alerts.json' with { type: 'json' };
import { ERRORS, ServiceError } from '../../../shared/errors.ts';
import { type JobOutcome, jobLine } from '../../../shared/jobs/jobLog.ts';
import { LogEntry } from '../../../shared/logging/logEntry.ts';
import { requestLine } from '../../../shared/logging/requestLine.ts';
import { createService } from '../../../shared/service.ts';
import { APP_ID, INFO, TENANT_ID } from '../../support/builders.ts';
import { analyzeQuery } from '../../support/kusto.ts';

const ROOT = join(__dirname, '..', '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const files = globSync('infra/queries/**/*.kql', { cwd: ROOT });
const namesIn = (folder: string) =>
  files.filter((file) => file.includes(`/${folder}/`)).map((file) => basename(file, '.kql'));

const JOB_CODES: readonly JobOutcome['code'][] = [
  ...(['Completed', 'Failed', 'Continued', 'Postponed', 'TooEarly', 'HeldElsewhere'] as const),
  ...(['AlreadyFinished', 'MessageRefused', 'Aborted'] as const),
];

/** Lines that have all fields that the app can write. */
async function lines(): Promise<readonly string[]> {
  const entry = Object.assign(new LogEntry('putRange'), {
    ...{ caller: 'c', policyPath: '/callers/0', actsAs: 'app', kind: 'message', mailbox: 'm', group: 'g' },
    ...{ sizeBytes: 1, upload: 'u', offset: 1, rangeBytes: 1 },
  });
  entry.addAttempt(201, 'g');
  for (const stage of ['authenticate', 'body', 'store', 'token', 'queue', 'graph', 'wait', 'in'] as const) {
    entry.addTime(stage, 1);
  }
  const info = { ...INFO, traceParent: 't', workflowRunId: 'w' };
  const error = new ServiceError('StorageUnavailable', 'm', { cause: new Error('c') });
  const trigger = { invocationId: 'i', traceContext: { traceParent: 't' } };
  const outcome: JobOutcome = { code: 'Postponed', reason: 'GraphThrottled', delayMs: 1, error };
  return [
    requestLine(entry, info, { status: 503, code: 'StorageUnavailable', error }, 'plain'),
    jobLine(entry, trigger, outcome, true, 'plain'),
    ...(await startLines({ ALLOW_ANY_MAILBOX: 'true' })),
    ...(await startLines({ ALLOW_ANY_MAILBOX: 'unknown' })),
  ];
}

/** A credential that fails before it would ask anyone: its file is not there. */
const NO_CERTIFICATE = {
  GRAPH_CREDENTIAL: 'clientCertificate',
  AZURE_TENANT_ID: TENANT_ID,
  AZURE_CLIENT_ID: APP_ID,
  AZURE_CLIENT_CERTIFICATE_PATH: 'absent.pem',
};

async function startLines(environment: Record<string, string>): Promise<readonly string[]> {
  const appRoot = mkdtempSync(join(tmpdir(), 'queries-'));
  const written: string[] = [];
  const service = createService({
    environment: { ...NO_CERTIFICATE, ...environment },
    appRoot,
    log: (_level, line) => written.push(line),
  });
  await service.warmUp();
  await service.close();
  rmSync(appRoot, { recursive: true });
  return written;
}

function fieldsOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...fieldsOf(member).map((one) => `${name}.${one}`)]);
}

const events = new Set(
  globSync('{shared,functions}/**/*.ts', { cwd: ROOT }).flatMap((source) =>
    [...read(source).matchAll(/\bevent: '(\w+)'/g)].map(([, event = '']) => event),
  ),
);

let fields: ReadonlySet<string>;

beforeAll(async () => {
  fields = new Set((await lines()).flatMap((line) => fieldsOf(JSON.parse(line))));
});

describe('infra/queries', () => {
  test.each(files)('%s has no error or warning and reads only fields of log lines', (file) => {
    const { errors, fields: asked } = analyzeQuery(read(file));

    expect(errors).toEqual([]);
    expect(asked).not.toEqual([]);
    expect(asked.filter((field) => !fields.has(field))).toEqual([]);
  });

  test('the check finds a syntax error, an unknown column and an unknown field', () => {
    expect(analyzeQuery('traces | wher true').errors).not.toEqual([]);
    expect(analyzeQuery('traces | project nosuch').errors).toEqual([expect.stringContaining("'nosuch'")]);
    expect(analyzeQuery('traces | extend r = parse_json(message) | where r.ms.nosuch > 1').fields).toContain(
      'ms.nosuch',
    );
    expect(fields.has('ms.nosuch')).toBe(false);
  });

  test.each(files)('%s names only codes and events that the app writes', (file) => {
    const query = read(file);
    const namesAfter = (field: string) =>
      [...query.matchAll(new RegExp(`tostring\\(r\\.${field}\\) (?:==|in) (\\([^)]*\\)|"\\w+")`, 'g'))].flatMap(
        ([, value = '']) => [...value.matchAll(/"(\w+)"/g)].map(([, name = '']) => name),
      );

    const ofLines = [...query.matchAll(/startswith '\{"event":"(\w+)"'/g)].map(([, event = '']) => event);
    expect([...namesAfter('event'), ...ofLines].filter((event) => !events.has(event))).toEqual([]);
    expect(
      namesAfter('code').filter((code) => !(code in ERRORS) && !JOB_CODES.some((jobCode) => jobCode === code)),
    ).toEqual([]);
  });
});

describe('infra/alerts.json', () => {
  const names = alerts.map(({ name }) => name);

  test('has one query, one line in the template and one threshold per alert', () => {
    const bicep = read('infra/app/alerts.bicep');
    const thresholds = /type alertThresholdsType = \{([^}]*)\}/.exec(read('infra/main.bicep'))?.[1] ?? '';

    expect(namesIn('alerts').toSorted()).toEqual(names.toSorted());
    expect([...bicep.matchAll(/^ {2}(\w+): loadTextContent\('..\/queries\/alerts\/\1.kql'\)$/gm)].length).toBe(12);
    expect([...thresholds.matchAll(/(\w+): int\?/g)].map(([, name]) => name)).toEqual(names);
  });

  test('agrees with docs/alerts.md', () => {
    const rows = alerts.map(({ name, title, meaning, severity, threshold, minutes }) =>
      [`\`${name}\``, title, meaning, severity, threshold, minutes].join(' | '),
    );

    expect([...read('docs/alerts.md').matchAll(/^\| (`\w+` \| .*) \|$/gm)].map(([, row]) => row)).toEqual(rows);
  });
});

test('the workbook shows every query of its folder', () => {
  const shown = [...read('infra/app/workbook.bicep').matchAll(/queries\/workbook\/(\w+)\.kql/g)];

  expect(shown.map(([, name]) => name).toSorted()).toEqual(namesIn('workbook').toSorted());
});
