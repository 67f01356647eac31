import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { REPOSITORY_ROOT, type Site, startSite } from '../support/site.ts';
import { errorCode, itemPath, openSession, PERMISSIVE_GRAPH } from '../support/tenantSite.ts';

const DOCUMENT = readFileSync(path.join(REPOSITORY_ROOT, 'docs', 'policy.md'), 'utf8');
const VALID = { callers: [{ name: 'Workflows', functionKey: true, mailboxes: ['*'], kinds: ['message'] }] };
const AS_USER = {
  callers: [
    {
      name: 'Assistant',
      appId: '4c3d5e6f-7081-4293-a4b5-c6d7e8f90a1b',
      delegated: true,
      actsAs: 'user',
      kinds: ['message'],
    },
  ],
};
const ENTRA = {
  CALLER_AUTH: 'entra',
  ENTRA_TENANT_ID: '5d6ae1c5-5c76-4cd2-92f5-9c4cd04ba4b5',
  API_AUDIENCE: 'api://upload-sessions',
};

/** The JSON blocks below a heading of docs/policy.md, each as its lines. */
function blocksBelow(heading: string): string[] {
  const section = DOCUMENT.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/```json\n(.*?)```/gs)].map(([, block = '']) => block);
}

function parseLines(block: string | undefined): unknown[] {
  return (block ?? '')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Runs a copy of the built app with this text as its policy.json. */
async function withSite(
  settings: Readonly<Record<string, string>>,
  policyJson: string | undefined,
  use: (site: Site) => Promise<void>,
): Promise<void> {
  const appRoot = mkdtempSync(path.join(tmpdir(), 'policy-'));
  for (const part of ['dist', 'host.json', 'package.json']) {
    cpSync(path.join(REPOSITORY_ROOT, part), path.join(appRoot, part), { recursive: true });
  }
  if (policyJson !== undefined) writeFileSync(path.join(appRoot, 'policy.json'), policyJson);
  const site = await startSite({ appRoot, settings, graph: PERMISSIVE_GRAPH });
  try {
    await use(site);
  } finally {
    await site.close();
    rmSync(appRoot, { recursive: true });
  }
}

async function statusOf(site: Site, mailbox: string): Promise<[number, string | undefined]> {
  const answer = await openSession(site.url, { path: `users/${mailbox}/${itemPath('message')}` });
  return [answer.status, errorCode(answer)];
}

async function expectClosed(site: Site, checks: Record<string, string>): Promise<void> {
  expect(await statusOf(site, 'adele@contoso.example')).toEqual([503, 'ServiceMisconfigured']);
  const [health, ready] = [await fetch(`${site.api}/health`), await fetch(`${site.api}/health/ready`)];
  expect([health.status, await health.json()]).toEqual([503, expect.objectContaining({ status: 'misconfigured' })]);
  expect([ready.status, await ready.json()]).toMatchObject([503, { status: 'notReady', checks }]);
  expect([site.graph.requests, site.identity.requests, site.events('started')]).toEqual([[], [], []]);
}

const POLICY_FAILS = { settings: 'ok', policy: 'failing', token: 'failing' };
const [brokenPolicy, brokenLines, missingLine, besideLine, userLine, registrationLine] = blocksBelow('A broken policy');
const [onlyMeLine, nothingLine, anyLine] = blocksBelow('Without a policy');

describe('a broken policy', () => {
  test.each([
    ['the one of the document', {}, brokenPolicy, parseLines(brokenLines)],
    ['a named file that is missing', { POLICY_FILE: 'teams/policy.json' }, undefined, parseLines(missingLine)],
    ['users without tokens', {}, JSON.stringify(AS_USER), parseLines(userLine)],
    ['users whom nobody can act for', ENTRA, JSON.stringify(AS_USER), parseLines(registrationLine)],
    [
      'ALLOW_ANY_MAILBOX together with it',
      { ALLOW_ANY_MAILBOX: 'true' },
      JSON.stringify(VALID),
      parseLines(besideLine),
    ],
  ])('answers 503, with the log lines of docs/policy.md: %s', async (_, settings, policyJson, lines) => {
    await withSite(settings, policyJson, async (site) => {
      expect(lines.length).toBeGreaterThan(0);
      await expectClosed(site, POLICY_FAILS);
      expect(site.events('misconfigured')).toEqual(lines);
    });
  });

  test.each([
    ['an empty file', '', 'is not JSON'],
    ['half a document', '{"callers": [', 'is not JSON'],
    ['null', 'null', 'must be object'],
    ['a list', '[]', 'must be object'],
    ['an object without callers', '{}', 'is missing'],
    ['one caller twice', JSON.stringify({ callers: [...VALID.callers, ...VALID.callers] }), 'names the same caller'],
  ])('answers 503: %s', async (_, policyJson, fault) => {
    await withSite({}, policyJson, async (site) => {
      await expectClosed(site, POLICY_FAILS);
      expect(site.events('misconfigured')).toEqual([
        expect.objectContaining({ part: 'policy', setting: 'policy.json', fault: expect.stringContaining(fault) }),
      ]);
    });
  });

  test.each([
    ['a POLICY that is no JSON', { POLICY: '{callers: []}' }],
    ['POLICY together with POLICY_FILE', { POLICY: JSON.stringify(VALID), POLICY_FILE: 'policy.json' }],
  ])('answers 503: %s', async (_, settings) => {
    await withSite(settings, JSON.stringify(VALID), async (site) => {
      await expectClosed(site, { settings: 'failing', policy: 'failing', token: 'failing' });
      expect(site.events('misconfigured')).toEqual([expect.objectContaining({ part: 'settings', setting: 'POLICY' })]);
    });
  });

  test('answers 503 to callers with Entra tokens and without any', async () => {
    await withSite({ ...ENTRA, POLICY: '{"callers": 1}' }, undefined, (site) => expectClosed(site, POLICY_FAILS));
  });
});

describe('no policy', () => {
  test('leaves only ME_MAILBOX to holders of a key', async () => {
    await withSite({}, undefined, async (site) => {
      expect([await site.findEvent('started')]).toEqual(parseLines(onlyMeLine));
      expect(await statusOf(site, 'adele@contoso.example')).toEqual([201, undefined]);
      expect(await statusOf(site, 'ADELE@contoso.example')).toEqual([201, undefined]);
      expect(await statusOf(site, 'megan@contoso.example')).toEqual([403, 'CallerNotAllowed']);
      expect((await fetch(`${site.api}/health`)).status).toBe(200);
    });
  });

  test.each([
    ['functionKey', { ME_MAILBOX: '' }, [403, 'CallerNotAllowed']],
    ['entra', ENTRA, [401, 'InvalidAuthenticationToken']],
  ])('leaves nothing to callers of %s', async (callerAuth, settings, refusal) => {
    await withSite(settings, undefined, async (site) => {
      expect([await site.findEvent('started')]).toEqual(
        parseLines(nothingLine).map((line) => Object.assign({}, line, { callerAuth })),
      );
      expect(await statusOf(site, 'adele@contoso.example')).toEqual(refusal);
      expect(site.graph.requests).toEqual([]);
    });
  });

  test('opens every mailbox where ALLOW_ANY_MAILBOX says so', async () => {
    await withSite({ ALLOW_ANY_MAILBOX: 'true' }, undefined, async (site) => {
      expect([await site.findEvent('started')]).toEqual(parseLines(anyLine));
      expect(await statusOf(site, 'adele@contoso.example')).toEqual([201, undefined]);
      expect(site.graph.requests).toHaveLength(1);
    });
  });
});

describe('an empty policy', () => {
  test.each([
    ['policy.json', {}, '{"callers": []}'],
    ['POLICY', { POLICY: '{"callers": []}' }, JSON.stringify(VALID)],
  ])('in %s admits nobody', async (source, settings, policyJson) => {
    await withSite(settings, policyJson, async (site) => {
      expect([await site.findEvent('started')]).toEqual([expect.objectContaining({ policy: source })]);
      expect(await statusOf(site, 'adele@contoso.example')).toEqual([403, 'CallerNotAllowed']);
      expect((await fetch(`${site.api}/health`)).status).toBe(200);
      expect(site.graph.requests).toEqual([]);
    });
  });
});
