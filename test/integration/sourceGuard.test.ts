import { BlockList, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { ServiceError } from '../../shared/errors.ts';
import { compileSources, findSourceRule } from '../../shared/sources/sourceRules.ts';
import { parseSourceUrl } from '../../shared/sources/sourceUrl.ts';
import { openUrl } from '../../shared/sources/urlSource.ts';
import { runs } from '../support/runs.ts';
import { type ConnectWatch, watchConnects } from '../support/watchConnects.ts';

const RUNS = runs(3_000, 100_000);

/** A policy's patterns, and next to each what it means, written out by hand. */
const PATTERNS = [
  {
    pattern: 'https://files.contoso.example/invoices/',
    host: /^files\.contoso\.example$/,
    port: 443,
    path: '/invoices/',
  },
  { pattern: 'https://intern.contoso.example:8443/', host: /^intern\.contoso\.example$/, port: 8443, path: '/' },
  { pattern: 'https://localhost:7443/', host: /^localhost$/, port: 7443, path: '/' },
  { pattern: 'https://*.sharepoint.example/', host: /^(?:[^.]+\.)+sharepoint\.example$/, port: 443, path: '/' },
  { pattern: 'https://bücher.example/a', host: /^xn--bcher-kva\.example$/, port: 443, path: '/a' },
] as const;

const RULES = compileSources(
  PATTERNS.map(({ pattern }) => pattern),
  '/callers/0/sources',
);

/** IANA's registries of special addresses, and Azure's own; by Node's BlockList, which the guard does not use. */
const LOOPBACK = listOf('127.0.0.0/8', '::1/128');
const PRIVATE = listOf('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7');
const NEVER = listOf(
  ...['0.0.0.0/8', '169.254.0.0/16', '168.63.129.16/32', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/128', '::/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '100:0:0:1::/64'],
  ...['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', '5f00::/16', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
);

function listOf(...ranges: string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    list.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

const octet = fc.nat(255);
const ipv4 = fc.oneof(
  fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.')),
  fc
    .tuple(
      fc.constantFrom('10', '127', '169.254', '172.16', '172.31', '192.168', '100.64', '0', '224', '255'),
      octet,
      octet,
      octet,
    )
    .map(([start, ...rest]) => [...start.split('.'), ...rest].slice(0, 4).join('.')),
  fc.constantFrom('127.0.0.1', '168.63.129.16', '169.254.169.254', '0.0.0.0', '10.0.0.4', '8.8.8.8', '20.150.0.1'),
);

function hexOf(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

const group = fc.nat(0xffff).map((value) => value.toString(16));
const ipv6 = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::', 'fe80::', '2001:0:', '100::'),
      ipv4,
    )
    .map(([prefix, address]) => (prefix === '2001:0:' ? `2001:0:${hexOf(address)}::` : `${prefix}${address}`)),
  ipv4.map((address) => `2002:${hexOf(address)}::1`),
  fc
    .tuple(
      fc.constantFrom(
        'fc00',
        'fd12',
        'fe80',
        'fec0',
        'ff02',
        '2001:db8',
        '2603:1030',
        '2a01:111',
        '3fff',
        '4000',
        '5f00',
        '1',
      ),
      group,
    )
    .map(([prefix, end]) => `${prefix}::${end}`),
  fc.constantFrom('::', '::1', '::2', 'fe80::1%lo', 'fd00:ec2::254', '100:0:0:1::1'),
);
const found = fc.array(fc.oneof({ weight: 2, arbitrary: ipv4 }, { weight: 1, arbitrary: ipv6 }), {
  minLength: 0,
  maxLength: 3,
});

/** An IPv4 address as a host, in the spellings that URL parsers know. */
const spelt = fc.tuple(ipv4, fc.nat(6)).map(([address, spelling]) => {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  const whole = ((a * 256 + b) * 256 + c) * 256 + d;
  const octal = (value: number) => `0${value.toString(8)}`;
  return (
    [
      address,
      String(whole),
      `0x${whole.toString(16)}`,
      [a, b, c, d].map(octal).join('.'),
      `${a}.${b * 65_536 + c * 256 + d}`,
      address.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
      `${address}.`,
    ][spelling] ?? address
  );
});
const host = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('files.contoso.example', 'intern.contoso.example', 'localhost', 'bücher.example'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('a.sharepoint.example', 'a.b.sharepoint.example', 'metadata.sharepoint.example'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'FILES.CONTOSO.EXAMPLE',
      'ｆiles.contoso.example',
      'xn--bcher-kva.example',
      'files。contoso.example',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...['sharepoint.example', '.sharepoint.example', 'evilsharepoint.example', 'a.sharepoint.example.evil.example'],
      ...['files.contoso.example.', 'xfiles.contoso.example', 'files.contoso.example.evil.example', 'evil.example'],
      ...[
        'files.contoso.example%2eevil.example',
        'files.contoso.example%00.evil.example',
        'localhost.localdomain',
        '%6cocalhost',
      ],
    ),
  },
  { weight: 2, arbitrary: spelt },
  { weight: 2, arbitrary: ipv6.map((address) => `[${address}]`) },
);
const port = fc.oneof(
  fc.constantFrom('', '', '', ':443', ':8443', ':7443', ':7443', ':0443', ':80'),
  fc.nat(70_000).map((value) => `:${value}`),
);
const userInfo = fc.constantFrom('', '', '', '', '', '', 'user@', ':secret@', 'files.contoso.example@', '@', 'a%40');
const scheme = fc.constantFrom(
  'https://',
  'https://',
  'https://',
  'https://',
  'HTTPS://',
  'https:',
  'https:\\\\',
  'http://',
  '//',
  'https:///',
);
const path = fc
  .array(
    fc.constantFrom('invoices', 'a', '..', '.', '%2e%2e', '..%2f', '%5c..', '..;', '%252e%252e', '', 'x%2Fy', '\\'),
    { maxLength: 4 },
  )
  .map((pieces) => `/${pieces.join('/')}`);
const tail = fc.constantFrom('', '?sig=a', '#@evil.example', '?@evil.example/', '\\@evil.example');
const admitted = fc.constantFrom(
  'https://files.contoso.example/invoices/2026/a.pdf?sig=a',
  'https://FILES.contoso.example:443/x/../invoices/a',
  'https://intern.contoso.example:8443/a',
  'https://localhost:7443/a',
  'https://localhost:7443/',
  'https://a.sharepoint.example/a',
  'https://a.b.sharepoint.example/',
  'https://ｂücher.example/a/b',
);
const address = fc.oneof(
  admitted,
  fc.tuple(scheme, userInfo, host, port, path, tail).map((parts) => parts.join('')),
);

let watch: ConnectWatch;

beforeAll(async () => {
  watch = await watchConnects();
});

afterAll(() => watch.stop());

describe('the addresses that sources are read from', () => {
  it(`are, of ${RUNS.toLocaleString('en-US')}, none that the policy does not admit`, async () => {
    const reached = { public: 0, private: 0, loopback: 0 };
    const refused: Record<string, number> = {};

    await fc.assert(
      fc.asyncProperty(address, found, found, fc.boolean(), async (text, first, second, isDevelopment) => {
        let lookUps = 0;
        const resolve = async () => {
          lookUps += 1;
          const addresses = lookUps === 1 ? first : second; // A name that changes between look-ups.
          return addresses.map((found) => ({ address: found, family: isIPv4(found) ? 4 : 6 }));
        };
        const times = { answerMs: 5000, silenceMs: 5000, retryDelay: () => Number.POSITIVE_INFINITY };
        const outcome = await tryOpen(text, { isDevelopment, checkSize: () => {}, resolve, times });
        refused[outcome] = (refused[outcome] ?? 0) + 1;

        for (const connect of watch.take()) {
          const url = new URL(text);
          const named = PATTERNS.filter(
            ({ host, port, path }) =>
              host.test(url.hostname) && Number(url.port || 443) === port && url.pathname.startsWith(path),
          );
          expect([url.protocol, url.username, url.password, named.length]).toEqual(['https:', '', '', 1]);
          expect(url.pathname).not.toMatch(/(?:^|\/|%2f|%5c)(?:\.|%2e|%252e)/i);
          expect([first.includes(connect.address), connect.port]).toEqual([true, named[0]?.port]);
          const isExact = !named[0]?.pattern.includes('*');
          if (isIn(LOOPBACK, connect.address)) {
            expect([isDevelopment, isExact, /example:\d|localhost:\d/.test(named[0]?.pattern ?? '')]).toEqual([
              true,
              true,
              true,
            ]);
            reached.loopback += 1;
          } else if (isIn(PRIVATE, connect.address)) {
            expect(isExact).toBe(true);
            reached.private += 1;
          } else {
            expect(isIn(NEVER, connect.address)).toBe(false);
            reached.public += 1;
          }
        }
      }),
      { numRuns: RUNS },
    );

    // What was drawn did reach the network, so that the guard had something to hold back.
    expect(Math.min(reached.public, reached.private, reached.loopback)).toBeGreaterThan(RUNS / 1000);
    expect(refused['SourceNotAllowed']).toBeGreaterThan(RUNS / 100);
  });
});

/** What the app does with an address: parses it, asks the policy, opens it. */
async function tryOpen(text: string, options: Parameters<typeof openUrl>[2]): Promise<string> {
  const parsed = parseSourceUrl(text);
  if (parsed.kind === 'fault') return 'faulty';
  const rule = findSourceRule(RULES, parsed.url);
  if (rule === undefined) return 'notAdmitted';
  try {
    await openUrl(parsed.url, rule, options, new AbortController().signal);
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
  throw new Error('Something was connected to.');
}
