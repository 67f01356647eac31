import fc from 'fast-check';
import { compileSources, findSourceRule, sourcePatternError } from '../../../shared/sources/sourceRules.ts';
import { parseSourceUrl } from '../../../shared/sources/sourceUrl.ts';
import { runs } from '../../support/runs.ts';

const ORIGIN = '/callers/0/sources';

function isAdmitted(pattern: string, address: string): boolean {
  const parsed = parseSourceUrl(address);
  return parsed.kind === 'ok' && findSourceRule(compileSources([pattern], ORIGIN), parsed.url) !== undefined;
}

describe('sourcePatternFault', () => {
  it.each([
    'https://contoso.blob.core.windows.net/invoices/',
    'https://*.sharepoint.com/',
    'https://*.sharepoint.com',
    'https://intranet/files',
    'https://localhost:8443/',
    'HTTPS://Contoso.example:443/a%20b/',
    'https://bücher.example/',
  ])('finds no fault with %s', (pattern) => {
    expect(sourcePatternError(pattern)).toBeUndefined();
  });

  it.each([
    ['', /must be an https address without query/],
    ['*', /must be an https address without query/],
    ['https://*/', /must be an https address without query/],
    ['http://contoso.example/', /must be an https address without query/],
    ['https://contoso.example/?sig=a', /must be an https address without query/],
    ['https://contoso.example/#a', /must be an https address without query/],
    ['https://user@contoso.example/', /must be an https address without query/],
    ['https://a.*.example/', /must be an https address without query/],
    ['https://contoso.example/*/a', /must be an https address without query/],
    ['https://contoso*.example/', /must be an https address without query/],
    ['https://contoso.example:99999/', /must be an https address without query/],
    ['https:\\\\contoso.example\\', /must be an https address without query/],
    ['https://*.com/', /at least two names/],
    ['https://10.0.0.1/', /not an IP address/],
    ['https://0x0a000001/', /not an IP address/],
    ['https://[::1]/', /must be an https address without query/],
    ['https://contoso.example./', /end its host with a dot/],
    ['https://contoso.example/a/../b/', /must not hold/],
    ['https://contoso.example/a/%2e%2e/b/', /must not hold/],
  ])('says what is wrong with %j', (pattern, fault) => {
    expect(sourcePatternError(pattern)).toMatch(fault);
    expect(compileSources([pattern], ORIGIN)).toEqual([]);
  });
});

describe('admitSource', () => {
  it.each([
    ['https://contoso.example/invoices/', 'https://contoso.example/invoices/1.pdf?sig=a'],
    ['https://contoso.example/invoices/', 'https://CONTOSO.example:443/x/../invoices/1.pdf'],
    ['https://contoso.example/invoices', 'https://contoso.example/invoices'],
    ['https://contoso.example/invoices', 'https://contoso.example/invoices/2026/1.pdf'],
    ['https://contoso.example/f%c3%bcr/', 'https://contoso.example/für/1.pdf'],
    ['https://contoso.example/', 'https://contoso.example'],
    ['https://*.sharepoint.com/', 'https://contoso.sharepoint.com/a'],
    ['https://*.sharepoint.com/', 'https://a.b.sharepoint.com/a'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/a'],
    ['https://localhost:8443/', 'https://localhost:8443/a'],
  ])('lets %s admit %s', (pattern, address) => {
    expect(isAdmitted(pattern, address)).toBe(true);
  });

  it.each([
    ['https://contoso.example/invoices/', 'https://contoso.example/invoices'],
    ['https://contoso.example/invoices', 'https://contoso.example/invoices-old/1.pdf'],
    ['https://contoso.example/invoices/', 'https://contoso.example/Invoices/1.pdf'],
    ['https://contoso.example/invoices/', 'https://contoso.example/invoices%2F1.pdf'],
    ['https://contoso.example/invoices/', 'https://contoso.example/invoices/../secret/1.pdf'],
    ['https://contoso.example/invoices/', 'https://contoso.example/invoices/..%2Fsecret/1.pdf'],
    ['https://contoso.example/', 'https://contoso.example:8443/'],
    ['https://contoso.example/', 'https://contoso.example./'],
    ['https://contoso.example/', 'https://contoso.example.evil.example/'],
    ['https://contoso.example/', 'https://contoso.example@evil.example/'],
    ['https://contoso.example/', 'https://www.contoso.example/'],
    ['https://*.sharepoint.com/', 'https://sharepoint.com/'],
    ['https://*.sharepoint.com/', 'https://.sharepoint.com/'],
    ['https://*.sharepoint.com/', 'https://evilsharepoint.com/'],
    ['https://*.sharepoint.com/', 'https://contoso.sharepoint.com.evil.example/'],
    ['https://*.sharepoint.com/', 'https://evil.example/.sharepoint.com/'],
    ['https://*.sharepoint.com/', 'http://contoso.sharepoint.com/'],
    ['https://localhost:8443/', 'https://localhost/'],
  ])('does not let %s admit %s', (pattern, address) => {
    expect(isAdmitted(pattern, address)).toBe(false);
  });

  it('names the place of the pattern, of the most exact one where several admit', () => {
    const patterns = ['https://*.contoso.example/', 'https://a.contoso.example/', 'https://a.contoso.example:443/'];
    const admits = (count: number) =>
      findSourceRule(compileSources(patterns.slice(0, count), ORIGIN), new URL('https://a.contoso.example/b'));

    expect(admits(1)).toMatchObject({ place: `${ORIGIN}/0`, isHostExact: false, isPortNamed: false });
    expect(admits(2)).toMatchObject({ place: `${ORIGIN}/1`, isHostExact: true, isPortNamed: false });
    expect(admits(3)).toMatchObject({ place: `${ORIGIN}/2`, isHostExact: true, isPortNamed: true });
    expect(admits(0)).toBeUndefined();
  });

  it('admits nothing outside the folder, however the path is put together', () => {
    const piece = fc.constantFrom(
      'invoices',
      'a',
      '.',
      '..',
      '%2e',
      '%2E%2e',
      '%2f',
      '%5c',
      '/',
      '\\',
      ';',
      '%25',
      '2e',
      '',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const address = `https://contoso.example/${pieces.join('/')}`;
        fc.pre(isAdmitted('https://contoso.example/invoices/', address));
        let path = new URL(address).pathname;
        for (let layer = 0; layer < 6; layer += 1) path = path.replaceAll(/%(25|2e|2f|5c)/gi, decodeURIComponent);

        expect(
          new URL(path.replaceAll('\\', '/').replaceAll(/;[^/]*/g, ''), 'https://contoso.example').pathname,
        ).toMatch(/^\/invoices\//);
      }),
      { numRuns: runs(500, 5000) },
    );
  });
});
