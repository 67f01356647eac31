import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { MAX_CAUSE_LENGTH } from '../../../shared/common/limits.ts';
import { formatCause, hashMailbox, maskSecrets } from '../../../shared/logging/mask.ts';

const base64url = (text: string) => Buffer.from(text).toString('base64url');
const madeUp = (seed: string) => createHmac('sha256', 'unit test').update(seed).digest();

/** Made at run time, so that no file holds what looks like a secret. */
const JWT = [
  '{"typ":"JWT","alg":"RS256"}',
  '{"aud":"https://outlook.office.com/api/"}',
  madeUp('signature').toString('hex'),
]
  .map(base64url)
  .join('.');
const FUNCTION_KEY = `${madeUp('key').toString('base64url')}AzFu${madeUp('key2').toString('base64url')}==`;
const CLIENT_SECRET = `abc8Q~${madeUp('secret').toString('base64url').slice(0, 34)}`;

describe('maskSecrets', () => {
  it.each([
    ['a token', `Bearer ${JWT}`],
    ['a function key', `x-functions-key: ${FUNCTION_KEY}`],
    ['a client secret', `client_secret="${CLIENT_SECRET}"`],
    ['a token in JSON', JSON.stringify({ access_token: JWT })],
  ])('lets nothing of %s through', (_, text) => {
    const masked = maskSecrets(text);

    for (const secret of [JWT, FUNCTION_KEY, CLIENT_SECRET]) {
      for (const part of secret.split('.')) expect(masked).not.toContain(part.slice(0, 12));
    }
    expect(masked).toContain('***');
  });

  it.each([
    `https://outlook.office.com/api/v2.0/Users('a@b')/Messages('AAMk=')/AttachmentSessions('c')?authtoken=${JWT}`,
    'https://outlook.office365.com/api/gv1.0/x?authtoken=short',
    'http://127.0.0.1:41/msi/token?resource=a&secret=short',
    'https://store.blob.example/c/f?sv=1&sig=short%2F',
  ])('lets nothing of the query of %s through', (url) => {
    const masked = maskSecrets(`PUT ${url} failed`);

    expect(masked).not.toMatch(/short|authtoken|sig=|eyJ/);
    expect(masked).toMatch(/^PUT https?:.*\?\*\*\* failed$/);
  });

  it('lets no run of 32 characters of a secret through, whatever stands around it', () => {
    const secret = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.~+/=%'), minLength: 32, maxLength: 200 });
    const around = fc.constantFrom('', ' ', '"', "'", ',', ':', '(', '&', '\n');
    fc.assert(
      fc.property(secret, around, around, (text, before, after) => {
        expect(maskSecrets(`${before}${text}${after}`)).toBe(`${before}***${after}`);
      }),
    );
  });

  it('masks the query of each URL in a text, and of one without a host', () => {
    expect(maskSecrets('<http://a/?x=1>, "https://b?c?d" and http://?sig=e')).toBe(
      '<http://a/?***>, "https://b?***" and http://?***',
    );
  });

  it.each([
    'The connection to Graph failed before its answer.',
    'connect ECONNREFUSED 127.0.0.1:443',
    'AADSTS7000215: Invalid client secret provided.',
  ])('leaves %j as it is', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });
});

describe('formatCause', () => {
  it('says the error and its causes in one line, without a stack', () => {
    const error = new TypeError('outer', { cause: new Error('middle', { cause: 'inner' }) });

    expect(formatCause(error)).toBe('TypeError: outer <- Error: middle <- inner');
  });

  it.each([
    ['a token', new Error(JWT)],
    ['a token in the cause', new Error('x', { cause: new Error(`Bearer ${JWT}`) })],
    ['a thrown text', `token=${JWT}`],
  ])('masks %s', (_, error) => {
    expect(formatCause(error)).not.toContain(JWT.slice(0, 12));
  });

  it('ends, however long the chain and the messages are', () => {
    const loop = new Error('x '.repeat(5_000));
    loop.cause = loop;

    expect(formatCause(loop)).toHaveLength(MAX_CAUSE_LENGTH);
  });

  it('cuts only what is masked already', () => {
    const text = `${'x '.repeat(MAX_CAUSE_LENGTH / 2 - 10)}${JWT}`;

    expect(formatCause(text)).not.toContain(JWT.slice(0, 12));
  });

  it.each([null, undefined])('says nothing of %s', (error) => {
    expect(formatCause(error)).toBe('');
  });
});

describe('hashMailbox', () => {
  it('gives 16 hex digits, the same in any letter case', () => {
    expect(hashMailbox('Adele@Contoso.Example')).toMatch(/^[0-9a-f]{16}$/);
    expect(hashMailbox('Adele@Contoso.Example')).toBe(hashMailbox('adele@contoso.example'));
    expect(hashMailbox('adele@contoso.example')).not.toBe(hashMailbox('megan@contoso.example'));
  });

  it('is the start of the SHA-256 that an operator can compute', () => {
    // printf %s adele@contoso.example | sha256sum
    expect(hashMailbox('adele@contoso.example')).toBe('278e7901453ab8d4');
  });
});
