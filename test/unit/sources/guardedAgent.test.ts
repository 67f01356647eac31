import { once } from 'node:events';
import { type Agent, request } from 'node:https';
import { isIPv4 } from 'node:net';
import { createGuardedAgent, type HostRule, isRefusedByGuard } from '../../../shared/sources/guardedAgent.ts';
import { type ConnectWatch, watchConnects } from '../../support/watchConnects.ts';

const HOST = 'files.contoso.example';
const EXACT: HostRule = { isHostExact: true, isPortNamed: false };
const EXACT_WITH_PORT: HostRule = { isHostExact: true, isPortNamed: true };
const WILDCARD: HostRule = { isHostExact: false, isPortNamed: false };
const WILDCARD_WITH_PORT: HostRule = { isHostExact: false, isPortNamed: true };
const RULES = [EXACT, EXACT_WITH_PORT, WILDCARD, WILDCARD_WITH_PORT];

/** Nothing leaves the machine: every connection is refused below the sockets. */
let watch: ConnectWatch;

beforeAll(async () => {
  watch = await watchConnects();
});
afterAll(() => watch.stop());

function agentFor(addresses: readonly string[], rule: HostRule, isDevelopment = false): Promise<Agent> {
  const found = addresses.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));
  return createGuardedAgent(HOST, rule, isDevelopment, async () => found);
}

/** What the system was asked to connect to, and how the request ended. */
async function ask(agent: Agent, url = `https://${HOST}/`): Promise<{ connects: readonly string[]; error: unknown }> {
  watch.take();
  const sent = request(url, { agent });
  const failed = once(sent, 'error');
  sent.end();
  const [error] = await failed;
  return { connects: watch.take().map(({ address }) => address), error };
}

/** Whether the host may be connected to, where it has these addresses. */
async function isAllowed(addresses: readonly string[], rule: HostRule, isDevelopment = false): Promise<boolean> {
  const { connects, error } = await ask(await agentFor(addresses, rule, isDevelopment));
  const isRefused = isRefusedByGuard(error);
  expect(connects).toEqual(isRefused ? [] : addresses);
  return !isRefused;
}

/** By whom an address is allowed: in the order of RULES, in production and in development. */
async function allowedBy(address: string): Promise<boolean[]> {
  const allowed: boolean[] = [];
  for (const isDevelopment of [false, true]) {
    for (const rule of RULES) allowed.push(await isAllowed([address], rule, isDevelopment));
  }
  return allowed;
}

const BY_EVERY_RULE = Array(8).fill(true);
const BY_NO_RULE = Array(8).fill(false);
const BY_EXACT_HOSTS = [true, true, false, false, true, true, false, false];
const IN_DEVELOPMENT_BY_HOST_AND_PORT = [false, false, false, false, false, true, false, false];

describe('a public address', () => {
  it.each([
    ['8.8.8.8', 'any'],
    ['9.255.255.255', 'the last before 10.0.0.0/8'],
    ['11.0.0.0', 'the first after 10.0.0.0/8'],
    ['172.15.255.255', 'the last before 172.16.0.0/12'],
    ['172.32.0.0', 'the first after 172.16.0.0/12'],
    ['192.167.255.255', 'the last before 192.168.0.0/16'],
    ['192.169.0.0', 'the first after 192.168.0.0/16'],
    ['100.63.255.255', 'the last before 100.64.0.0/10'],
    ['100.128.0.0', 'the first after 100.64.0.0/10'],
    ['126.255.255.255', 'the last before 127.0.0.0/8'],
    ['128.0.0.0', 'the first after 127.0.0.0/8'],
    ['169.253.255.255', 'the last before 169.254.0.0/16'],
    ['169.255.0.0', 'the first after 169.254.0.0/16'],
    ['168.63.129.15', 'the last before that of Azure itself'],
    ['168.63.129.17', 'the first after that of Azure itself'],
    ['223.255.255.255', 'the last before 224.0.0.0/4'],
    ['2603:1030::1', 'any of IPv6'],
    ['3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'near the end of 2000::/3'],
  ])('is connected to by every rule: %s, %s', async (address) => {
    expect(await allowedBy(address)).toEqual(BY_EVERY_RULE);
  });
});

describe('a private address', () => {
  it.each([
    ['10.0.0.0', 'RFC 1918'],
    ['10.255.255.255', 'RFC 1918'],
    ['172.16.0.0', 'RFC 1918'],
    ['172.31.255.255', 'RFC 1918'],
    ['192.168.0.0', 'RFC 1918'],
    ['192.168.255.255', 'RFC 1918'],
    ['100.64.0.0', 'RFC 6598'],
    ['100.127.255.255', 'RFC 6598'],
    ['fc00::', 'RFC 4193'],
    ['fd12:3456:789a::1', 'RFC 4193'],
    ['fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'RFC 4193'],
  ])('is connected to where the policy names the host exactly: %s, %s', async (address) => {
    expect(await allowedBy(address)).toEqual(BY_EXACT_HOSTS);
  });
});

describe('a loopback address', () => {
  it.each(['127.0.0.1', '127.0.0.0', '127.255.255.255', '::1'])(
    'is connected to only in development, where the policy names host and port: %s',
    async (address) => {
      expect(await allowedBy(address)).toEqual(IN_DEVELOPMENT_BY_HOST_AND_PORT);
    },
  );
});

describe('an address that is never connected to', () => {
  it.each([
    ['168.63.129.16', 'of the host that a machine in Azure runs on'],
    ['169.254.169.254', 'of instance metadata'],
    ['169.254.0.0', 'link-local'],
    ['169.254.255.255', 'link-local'],
    ['0.0.0.0', 'unspecified'],
    ['0.255.255.255', 'this network'],
    ['192.0.0.1', 'of protocols'],
    ['192.0.2.1', 'of documentation'],
    ['198.18.0.1', 'of benchmarks'],
    ['198.51.100.1', 'of documentation'],
    ['203.0.113.1', 'of documentation'],
    ['224.0.0.1', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::2', 'unassigned'],
    ['::ffff:10.0.0.1', 'IPv4 in IPv6'],
    ['::ffff:8.8.8.8', 'IPv4 in IPv6'],
    ['::ffff:127.0.0.1', 'IPv4 in IPv6'],
    ['64:ff9b::a00:1', 'translated'],
    ['64:ff9b:1::a00:1', 'translated'],
    ['100::1', 'discarded'],
    ['1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'the last before 2000::/3'],
    ['4000::', 'the first after 2000::/3'],
    ['2001:0:a00:1::', 'tunnelled (Teredo)'],
    ['2001:db8::1', 'of documentation'],
    ['2002:a00:1::1', 'tunnelled (6to4)'],
    ['fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'the last before fc00::/7'],
    ['fe00::', 'the first after fc00::/7'],
    ['fe80::1', 'link-local'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
  ])('is %s: %s', async (address) => {
    expect(await allowedBy(address)).toEqual(BY_NO_RULE);
  });
});

describe('several addresses of one host', () => {
  it('are all connected to, where each may be', async () => {
    expect(await isAllowed(['8.8.8.8', '2603:1030::1', '10.0.0.4'], EXACT)).toBe(true);
  });

  it.each([
    [['8.8.8.8', '169.254.169.254'], EXACT],
    [['169.254.169.254', '8.8.8.8'], EXACT],
    [['8.8.8.8', '10.0.0.4'], WILDCARD],
    [['8.8.8.8', '127.0.0.1'], EXACT_WITH_PORT],
    [['10.0.0.4', '168.63.129.16'], EXACT],
  ])('are not connected to, where one of them may not be: %j', async (addresses, rule) => {
    expect(await isAllowed(addresses, rule)).toBe(false);
  });
});

describe('the agent for one host', () => {
  it('looks the name up once, and connects where that led', async () => {
    const resolve = jest.fn(async () => [{ address: '8.8.8.8', family: 4 }]);
    const agent = await createGuardedAgent(HOST, WILDCARD, false, resolve);
    resolve.mockResolvedValue([{ address: '127.0.0.1', family: 4 }]);

    expect((await ask(agent)).connects).toEqual(['8.8.8.8']);
    expect((await ask(agent)).connects).toEqual(['8.8.8.8']);
    expect(resolve.mock.calls).toEqual([[HOST]]);
  });

  it.each(['127.0.0.1', '10.0.0.4', '[::1]'])('does not connect to %s in the place of its host', async (host) => {
    const { connects, error } = await ask(await agentFor(['8.8.8.8'], EXACT), `https://${host}/`);

    expect([connects, isRefusedByGuard(error)]).toEqual([[], true]);
  });

  it('fails as a name without an address does, and not as a refusal', async () => {
    const { connects, error } = await ask(await agentFor([], EXACT));

    expect([connects, error, isRefusedByGuard(error)]).toEqual([
      [],
      expect.objectContaining({ code: 'ENOTFOUND' }),
      false,
    ]);
  });

  it('is not made where the look-up fails', async () => {
    const failure = Object.assign(new Error('getaddrinfo'), { code: 'EAI_AGAIN' });

    await expect(createGuardedAgent(HOST, EXACT, false, () => Promise.reject(failure))).rejects.toBe(failure);
  });

  it('takes no failure of the network for a refusal', async () => {
    const { connects, error } = await ask(await agentFor(['8.8.8.8'], EXACT));

    expect([connects, isRefusedByGuard(error)]).toEqual([['8.8.8.8'], false]);
    expect(isRefusedByGuard(Object.assign(new Error('It is not allowed. Because'), { code: 'EPERM' }))).toBe(false);
    expect(isRefusedByGuard('is not allowed. Because')).toBe(false);
  });
});
