import fc from 'fast-check';
import { createSecret, formatSecret, nameOf, parseSecret, seal, unseal } from '../../../shared/storage/seal.ts';

const CONTENT = Buffer.from('{"uploadUrl":"https://outlook.example/Zq7-marker"}');

describe('seal', () => {
  it('gives back whatever was sealed, only with the same secret and purpose', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        const secret = createSecret();
        const sealed = seal(Buffer.from(bytes), secret, 'upload');

        expect(unseal(sealed, secret, 'upload')).toEqual(Buffer.from(bytes));
        expect(unseal(sealed, createSecret(), 'upload')).toBeUndefined();
        expect(unseal(sealed, secret, 'idempotency')).toBeUndefined();
      }),
    );
  });

  it('lets no bit be changed', () => {
    const secret = createSecret();
    const sealed = seal(CONTENT, secret, 'upload');

    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
        const changed = Buffer.from(sealed);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(unseal(changed, secret, 'upload')).toBeUndefined();
      }),
    );
  });

  it('lets nothing be cut off, added or put in its place', () => {
    const secret = createSecret();
    const sealed = seal(CONTENT, secret, 'upload');

    for (let length = 0; length < sealed.length; length++) {
      expect(unseal(sealed.subarray(0, length), secret, 'upload')).toBeUndefined();
    }
    expect(unseal(Buffer.concat([sealed, sealed]), secret, 'upload')).toBeUndefined();
    expect(unseal(CONTENT, secret, 'upload')).toBeUndefined();
  });

  it('shows nothing of the content, nor that two contents are the same', () => {
    const secret = createSecret();

    const [one, other] = [seal(CONTENT, secret, 'upload'), seal(CONTENT, secret, 'upload')];

    expect(one.includes('Zq7-marker')).toBe(false);
    expect(one.equals(other)).toBe(false);
  });

  it('opens what the first version sealed', () => {
    const secret = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
    const sealed = Buffer.from('ARByuoaC9Py9nr4kA0H-lmh675mPLdM58tOaPsHUpRwf', 'base64url');

    expect(unseal(sealed, secret, 'upload')?.toString()).toBe('kept');
  });
});

describe('a secret as text', () => {
  it('is 43 characters for an address, and reads back', () => {
    const secret = createSecret();

    expect(formatSecret(secret)).toMatch(/^[\w-]{43}$/);
    expect(parseSecret(formatSecret(secret))).toEqual(secret);
  });

  it('has one spelling', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w-]{43}$/), (text) => {
        const secret = parseSecret(text);
        if (secret !== undefined) expect(formatSecret(secret)).toBe(text);
        expect(secret !== undefined).toBe(/[AEIMQUYcgkosw048]$/.test(text));
      }),
    );
  });

  it.each([
    '',
    'a',
    `${'A'.repeat(42)}B`,
    'A'.repeat(44),
    `${'A'.repeat(42)}=`,
    `${'A'.repeat(42)}+`,
    `${'A'.repeat(43)}\n`,
  ])('is not %j', (text) => {
    expect(parseSecret(text)).toBeUndefined();
  });

  it('is not to be found from its name', () => {
    const secret = createSecret();

    expect(nameOf(secret)).toMatch(/^[0-9a-f]{64}$/);
    expect(nameOf(secret)).not.toBe(secret.toString('hex'));
    expect(nameOf(secret)).not.toBe(nameOf(createSecret()));
  });
});
