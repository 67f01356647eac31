import type { LookupAddress } from 'node:dns';
import type { Agent } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { SourceRule } from './sourceRules.ts';

/** All addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** What the policy's rule says of the host that is connected to. */
export type HostRule = Pick<SourceRule, 'isHostExact' | 'isPortNamed'>;

/** The virtual address of the host that a machine in Azure runs on; a public address by its range. learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16 */
const AZURE_HOST = '168.63.129.16';

/** RFC 1918, RFC 6598 and RFC 4193: where private endpoints are. */
const PRIVATE_RANGES: readonly string[] = ['private', 'carrierGradeNat', 'uniqueLocal'];

/**
 * An agent for connections to one host, looked up once here. It connects to none but the addresses that were found, so that a
 * name cannot lead elsewhere by the time of connecting, and it refuses them all where one of them is no public address
 * (request-filtering-agent, by ipaddr.js: link-local, loopback, multicast, unspecified, translated, tunnelled, reserved). Let
 * through are private addresses for a host that the policy names exactly, and loopback in development for a host and port that
 * it names.
 *
 * @throws what `resolve` throws; what the agent refuses fails when a request is sent, see isRefusedByGuard
 */
export async function createGuardedAgent(
  host: string,
  rule: HostRule,
  isDevelopment: boolean,
  resolve: Resolve,
): Promise<Agent> {
  const { ipaddr, RequestFilteringHttpsAgent } = await import('./sourceLibrary.ts');
  const addresses = await resolve(host);
  const isException = ({ address }: LookupAddress) => {
    const range = ipaddr.isValid(address) ? ipaddr.parse(address).range() : '';
    if (range === 'loopback') return isDevelopment && rule.isHostExact && rule.isPortNamed;
    return rule.isHostExact && PRIVATE_RANGES.includes(range);
  };
  /** Of IPv6 the world uses an eighth (iana.org/assignments/ipv6-unicast-address-assignments); ipaddr.js takes the rest for public. */
  const isUnassigned = ({ address }: LookupAddress) =>
    ipaddr.IPv6.isValid(address) && !ipaddr.IPv6.parse(address).match(ipaddr.IPv6.parseCIDR('2000::/3'));
  return new RequestFilteringHttpsAgent({
    lookup: pinnedTo(addresses),
    allowIPAddressList: addresses.filter(isException).map(({ address }) => address),
    denyIPAddressList: [AZURE_HOST, ...addresses.filter(isUnassigned).map(({ address }) => address)],
  });
}

/** The guard's error has no class and no code of its own, unlike those of the network. */
export function isRefusedByGuard(error: unknown): boolean {
  return error instanceof Error && !('code' in error) && /is not allowed\. Because/.test(error.message);
}

/**
 * As asynchronous as a look-up is: where the system refuses a connection at once (no route over IPv6), a socket fails before the
 * request listens to it, and an error that nobody listens to ends the process.
 */
function pinnedTo(addresses: readonly LookupAddress[]): LookupFunction {
  return (host, options, callback) => {
    const [first] = addresses;
    setImmediate(() => {
      if (first === undefined)
        callback(Object.assign(new Error(`No address of ${host}.`), { code: 'ENOTFOUND' }), '', 0);
      else if (options.all) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}
