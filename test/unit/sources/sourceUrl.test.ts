import { parseSourceUrl } from '../../../shared/sources/sourceUrl.ts';

function faultOf(text: string): string {
  const result = parseSourceUrl(text);
  return result.kind === 'fault' ? result.fault : `none: ${result.url.href}`;
}

describe('parseSourceUrl', () => {
  it.each([
    'https://contoso.blob.core.windows.net/invoices/a.pdf?sv=2024-11-04&sig=a%2Fb%3D',
    'https://contoso.sharepoint.com/_layouts/15/download.aspx?UniqueId=1&tempauth=v1.a.b',
    'https://contoso.blob.core.windows.net/invoices/2026%2F11%2Fa.pdf',
    'https://contoso.blob.core.windows.net/invoices/100%2525.pdf',
    'https://contoso.blob.core.windows.net/invoices/..a/b../...',
    'https://localhost:8443/a',
  ])('takes %s as it is', (text) => {
    expect(parseSourceUrl(text)).toMatchObject({ kind: 'ok', url: { href: text } });
  });

  it('leaves out the fragment, which is never sent', () => {
    expect(parseSourceUrl('https://a.example/b?c#d')).toMatchObject({
      kind: 'ok',
      url: { href: 'https://a.example/b?c' },
    });
  });

  it.each(['http://a.example/', 'ftp://a.example/', 'file:///etc/passwd', 'data:,a'])('wants https: %s', (text) => {
    expect(faultOf(text)).toBe('must be an https URL');
  });

  it.each([
    '',
    'a.example/b',
    '/b',
    'https://',
    'https://a b/',
    'https://a.example/\tb',
    ' https://a.example/\n',
    'https://%00/',
  ])('refuses what is no address: %j', (text) => {
    expect(faultOf(text)).toBe('must be an absolute https URL');
  });

  it.each(['https://user@a.example/', 'https://:secret@a.example/', 'https://a.example@b.example/'])(
    'refuses user info: %s',
    (text) => {
      expect(faultOf(text)).toBe('must not contain a user name or a password');
    },
  );

  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://①②⑦.⓪.⓪.①/',
    'https://%31%32%37.0.0.1/',
    'https://168.63.129.16/',
    'https://8.8.8.8/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[2603:1030::1]:443/',
  ])('refuses a host that is an IP address however it is written: %s', (text) => {
    expect(faultOf(text)).toBe('must name its host, not an IP address');
  });

  it.each([
    'https://a.example/in/..%2fout',
    'https://a.example/in/%2e%2e%2fout',
    'https://a.example/in/..%5cout',
    'https://a.example/in/%252e%252e/out',
    'https://a.example/in/..;/out',
    'https://a.example/in/..%3b/out',
    'https://a.example/in/x%2f%2e',
    `https://a.example/in/%${'25'.repeat(4000)}2e`,
  ])('refuses a path that some servers would climb from: %s', (text) => {
    expect(faultOf(text)).toBe('must not contain . or .. in its path, encoded or not');
  });

  it('bounds the length', () => {
    expect(faultOf(`https://a.example/${'a'.repeat(8192)}`)).toBe('must have at most 8192 characters');
  });
});
