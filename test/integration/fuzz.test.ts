import fc from 'fast-check';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { judgeUpstream } from '../support/fuzz/judgeUpstream.ts';
import { type FuzzReport, runFuzz } from '../support/fuzz/runFuzz.ts';
import { isExhaustive, runs } from '../support/runs.ts';

// `npm run stress -- soak` does the same with 100,000 requests. A seed that found something can be set here.
const SEED = fc.sample(fc.integer({ min: 0, max: 2 ** 30 }), 1)[0] ?? 0;

const ANY = runs(500, 3500);
const ME_ONLY = runs(300, 1500);

function expectSound({ faults, statuses, requests, upstreamCalls }: FuzzReport): void {
  expect({ seed: SEED, faults }).toEqual({ seed: SEED, faults: [] });
  expect(Object.values(statuses).reduce((sum, count) => sum + count, 0)).toBe(requests);
  // A generator that only makes rubbish would prove little.
  expect(statuses[201]).toBeGreaterThan(requests / 50);
  expect(upstreamCalls).toBeGreaterThan(requests / 50);
  if (isExhaustive) {
    expect(Object.keys(statuses)).toEqual(expect.arrayContaining(['201', '400', '404', '405', '413', '415']));
  }
}

test(`answers ${ANY} requests of any form without a 5xx and calls nothing but the named item`, async () => {
  expectSound(await runFuzz({ count: ANY, reach: 'any', seed: SEED }));
});

test(`reaches no other mailbox than the permitted one, in ${ME_ONLY} requests of any form`, async () => {
  const report = await runFuzz({ count: ME_ONLY, reach: 'meOnly', seed: SEED });

  expectSound(report);
  expect(report.statuses[403]).toBeGreaterThan(ME_ONLY / 150);
});

test.each([
  ['/v1.0/users/b@c.example/messages/x/attachments/createUploadSession', 'users/a@c.example/messages/x'],
  ['/v1.0/users/a@c.example/messages/y/attachments/createUploadSession', 'users/a@c.example/messages/x'],
  ['/v1.0/users/a@c.example/messages/..%2Fx/attachments/createUploadSession', 'users/a@c.example/messages/..%2Fx'],
  ['/v1.0/users/a@c.example/messages/x/attachments/createUploadSession?a=b', 'users/a@c.example/messages/x'],
  ['/v1.0/users/a@c.example/messages/x', 'users/a@c.example/messages/x'],
])('would find a call to %s', (path, callerPath) => {
  const call = { method: 'POST', path, headers: {}, startedAt: 0, requestId: '', bytes: 0, body: '', aborted: false };

  expect(judgeUpstream(call, callerPath, 'any', ADELE.userPrincipalName)).toHaveLength(1);
});

test('would find a mailbox that is not permitted, and a header too many', () => {
  const path = '/v1.0/users/megan@contoso.example/messages/x/attachments/createUploadSession';
  const call = {
    method: 'POST',
    path,
    headers: { cookie: 'a' },
    startedAt: 0,
    requestId: '',
    bytes: 0,
    body: '',
    aborted: false,
  };

  expect(judgeUpstream(call, path.slice(6), 'meOnly', ADELE.userPrincipalName)).toHaveLength(2);
});
