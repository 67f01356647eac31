import { setTimeout as delay } from 'node:timers/promises';
import { JWKS_COOLDOWN_MS } from '../../shared/common/limits.ts';
import type { RawAnswer } from '../support/probeApp/sendRaw.ts';
import { errorCode, itemPath, startTenantSite, type TenantSite } from '../support/tenantSite.ts';

const APP = 'b4a1c2d3-5e6f-4a7b-8c9d-0e1f2a3b4c5d';
const PATH = `users/adele@contoso.example/${itemPath('message')}`;
const POLICY = { callers: [{ name: 'Invoices', appId: APP, mailboxes: ['*'], kinds: ['message'] }] };

const FLOOD = 200;

function call(site: TenantSite, bearer: string): Promise<RawAnswer> {
  return site.openSession({ path: PATH, authorization: [bearer] });
}

async function statusesOf(answers: readonly Promise<RawAnswer>[]): Promise<number[]> {
  return [...new Set((await Promise.all(answers)).map(({ status }) => status))];
}

/** Many tokens at once, each under its own key id that nobody published. */
async function flood(site: TenantSite): Promise<number[]> {
  const bearers = await Promise.all(
    Array.from({ length: FLOOD }, () => site.bearer(APP, {}, { hostile: 'unknownKid' })),
  );
  return statusesOf(bearers.map((bearer) => call(site, bearer)));
}

/** The fetches that the cool-down allows in this time, and one that was due already. */
function allowedFetches(startedAt: number): number {
  return Math.ceil((Date.now() - startedAt) / JWKS_COOLDOWN_MS) + 1;
}

describe("the tenant's signing keys", () => {
  let site: TenantSite;

  beforeAll(async () => {
    site = await startTenantSite({ policy: POLICY });
  });
  afterAll(() => site.close());
  beforeEach(() => site.forget());

  test('are fetched once for many first callers', async () => {
    const bearers = await Promise.all(Array.from({ length: 20 }, () => site.bearer(APP)));

    const statuses = await statusesOf(bearers.map((bearer) => call(site, bearer)));

    expect({ statuses, fetches: site.tenant.keyFetches }).toEqual({ statuses: [201], fetches: 1 });
  });

  test('change during traffic without a refused request', async () => {
    const statuses: number[] = [];
    let isOver = false;
    const traffic = Array.from({ length: 8 }, async () => {
      while (!isOver) statuses.push((await call(site, await site.bearer(APP))).status);
    });

    for (let turn = 0; turn < 3; turn++) {
      await delay(200);
      await site.tenant.rotate({ keepOld: true });
      await delay(JWKS_COOLDOWN_MS);
    }
    isOver = true;
    await Promise.all(traffic);

    expect(statuses.length).toBeGreaterThan(8);
    expect([...new Set(statuses)]).toEqual([201]);
  });

  test('are fetched a bounded number of times in a flood of unknown key ids', async () => {
    const startedAt = Date.now();

    const statuses = [await flood(site), await flood(site)].flat();

    expect([...new Set(statuses)]).toEqual([401]);
    expect(site.tenant.keyFetches).toBeGreaterThan(0);
    expect(site.tenant.keyFetches).toBeLessThanOrEqual(allowedFetches(startedAt));
    expect(site.graph.requests).toHaveLength(0);
  });

  test('cost nothing where the algorithm is reason enough to refuse the token', async () => {
    const bearers = await Promise.all(
      (['algNone', 'hs256WithPublicKey'] as const).map((hostile) => site.bearer(APP, {}, { hostile })),
    );

    await statusesOf(bearers.map((bearer) => call(site, bearer)));

    expect(site.tenant.keyFetches).toBe(0);
  });

  test('that are new are found right after a flood', async () => {
    await flood(site);
    await site.tenant.rotate({ keepOld: true });

    const statuses = await statusesOf([call(site, await site.bearer(APP)), call(site, await site.bearer(APP))]);

    expect(statuses).toEqual([201]);
  });

  test('that are new are found in the midst of a flood', async () => {
    const flooded = flood(site);
    await delay(100);
    await site.tenant.rotate({ keepOld: true });
    const good = await site.bearer(APP);

    const statuses = await statusesOf([call(site, good), call(site, good)]);

    expect(statuses).toEqual([201]);
    expect(await flooded).toEqual([401]);
  });

  test('that the tenant withdrew are refused after the next fetch', async () => {
    const old = await site.bearer(APP);
    await site.tenant.rotate();
    await statusesOf([call(site, await site.bearer(APP))]);

    const answer = await call(site, old);

    expect([answer.status, errorCode(answer)]).toEqual([401, 'InvalidAuthenticationToken']);
  });

  test('that are known serve on while the key server is away', async () => {
    const known = await site.bearer(APP);
    const unknown = await site.bearer(APP, {}, { hostile: 'unknownKid' });
    await call(site, known);

    for (const fault of ['down', 'failing', 'garbage', 'hanging'] as const) {
      site.tenant.play(fault);

      expect([fault, (await call(site, known)).status]).toEqual([fault, 201]);
    }
    site.tenant.play('down');
    const needed = await call(site, unknown);

    expect([needed.status, errorCode(needed)]).toEqual([503, 'SigningKeysUnavailable']);
    expect((await call(site, known)).status).toBe(201);
  });
});

describe('a key server that is away from the start', () => {
  test('means 503 for every token, and 201 once it is back', async () => {
    const site = await startTenantSite({ policy: POLICY, fault: 'down' });
    try {
      for (const fault of ['down', 'failing', 'garbage'] as const) {
        site.tenant.play(fault);

        const answer = await call(site, await site.bearer(APP));

        expect([fault, answer.status, errorCode(answer)]).toEqual([fault, 503, 'SigningKeysUnavailable']);
      }
      expect([site.graph.requests.length, site.identity.requests.length]).toEqual([0, 0]);

      site.tenant.play('none');

      expect((await call(site, await site.bearer(APP))).status).toBe(201);
    } finally {
      await site.close();
    }
  });
});
