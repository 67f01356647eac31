import fc from 'fast-check';
import { compileNames } from '../../../shared/access/policy.ts';
import {
  foldAddress,
  recipientAdmittedBy,
  recipientPatternError,
  refusedRecipients,
} from '../../../shared/access/recipients.ts';
import { runs } from '../../support/runs.ts';

const rulesOf = (patterns: readonly string[], maxRecipients = 500) => {
  return { recipients: compileNames(patterns, '/recipients'), maxRecipients };
};

describe('foldAddress', () => {
  it.each([
    ['Megan@Contoso.example', 'megan@contoso.example'],
    ["o'neill@contoso.example", "o'neill@contoso.example"],
    ['first.last+tag@contoso.example', 'first.last+tag@contoso.example'],
    ['jürgen@bücher.example', 'jürgen@bücher.example'],
    ['用户@例子.example', '用户@例子.example'],
    ['megan@localhost', 'megan@localhost'],
  ])('reads %s', (written, folded) => {
    expect(foldAddress(written)).toBe(folded);
  });

  it.each([
    '',
    'megan',
    '@contoso.example',
    'megan@',
    'megan@@contoso.example',
    'megan@contoso.example@evil.example',
    'megan@contoso.example,eve@evil.example',
    'megan@contoso.example;eve@evil.example',
    'megan@contoso.example eve@evil.example',
    ' megan@contoso.example',
    'megan@contoso.example ',
    'megan@contoso.example\r\nBcc: eve@evil.example',
    'megan@contoso.example\u0000',
    'megan@contoso.example\u00a0',
    'megan\u200b@contoso.example',
    'Megan <megan@contoso.example>',
    '<megan@contoso.example>',
    '"eve@evil.example"@contoso.example',
    'megan(eve)@contoso.example',
    'SMTP:megan@contoso.example',
    '[SMTP:megan@contoso.example]',
    'megan\\@contoso.example',
    'eve%evil.example@contoso.example',
    'evil.example!eve@contoso.example',
    'IMCEASMTP-eve+40evil+2Eexample@contoso.example',
    'megan＠contoso.example',
    'megan@ｃontoso.example',
    'megan@contoso．example',
    'megan@contoso。example',
    'megan@\u212bcontoso.example',
    'megan@conto\u017fo.example',
    'u\u0308ber@contoso.example',
    'megan@[192.0.2.1]',
    'megan@contoso..example',
    'megan@.contoso.example',
    'megan@contoso.example.',
    'megan@-contoso.example',
    'megan@contoso-.example',
    '.megan@contoso.example',
    'megan.@contoso.example',
    'me..gan@contoso.example',
    '*@contoso.example',
    `${'a'.repeat(320)}@contoso.example`,
  ])('does not read %j', (text) => {
    expect(foldAddress(text)).toBeUndefined();
  });
});

describe('refusedRecipients', () => {
  const rules = rulesOf(['Megan@contoso.example', '*@Fabrikam.example'], 3);

  it.each([
    ['megan@contoso.example', '/recipients/0'],
    ['MEGAN@CONTOSO.EXAMPLE', '/recipients/0'],
    ['any.one@fabrikam.example', '/recipients/1'],
  ])('admits %s by %s', (address, place) => {
    expect(refusedRecipients(rules, [address])).toEqual([]);
    expect(recipientAdmittedBy(rules, address)).toBe(place);
  });

  it.each([
    'adele@contoso.example',
    'any@sub.fabrikam.example',
    'any@evilfabrikam.example',
    'any@fabrikam.example.evil.example',
  ])('does not admit %s', (address) => {
    expect(refusedRecipients(rules, [address])).toEqual([{ kind: 'notAdmitted', index: 0 }]);
    expect(recipientAdmittedBy(rules, address)).toBeUndefined();
  });

  it('gives all refusals at once', () => {
    const addresses = ['megan@contoso.example', 'eve@evil.example', 'a, b@fabrikam.example', 'b@fabrikam.example'];

    expect(refusedRecipients(rules, addresses)).toEqual([
      { kind: 'notAdmitted', index: 1 },
      { kind: 'notPlain', index: 2 },
      { kind: 'tooMany', count: 4, max: 3 },
    ]);
  });

  it('admits nobody without a pattern, and only plain addresses with *', () => {
    expect(refusedRecipients(rulesOf([]), ['megan@contoso.example'])).toEqual([{ kind: 'notAdmitted', index: 0 }]);
    expect(refusedRecipients(rulesOf(['*']), ['megan@contoso.example', 'a@b@c.example'])).toEqual([
      { kind: 'notPlain', index: 1 },
    ]);
  });

  it('admits by a domain only addresses of exactly that domain', () => {
    const domainRules = rulesOf(['*@contoso.example']);
    const parts = ['megan', 'contoso.example', '@', '.', 'x', ' ', ',', '%', '"', '<', '＠', 'CONTOSO', '\u212a', 'ſ'];
    const drawn = fc.oneof(
      fc.array(fc.constantFrom(...parts), { maxLength: 8 }).map((texts) => texts.join('')),
      fc.string({ unit: 'binary' }).map((text) => `${text}@contoso.example`),
      fc.string({ unit: 'grapheme' }).map((text) => `megan@${text}contoso.example`),
    );
    fc.assert(
      fc.property(drawn, (address) => {
        if (refusedRecipients(domainRules, [address]).length > 0) return;
        const [local, domain, ...more] = address.split('@');

        expect(local).toMatch(/^[^\s,;:<>()[\]"\\%!\p{C}]+$/u);
        expect(domain?.toLowerCase()).toBe('contoso.example');
        expect(more).toEqual([]);
      }),
      { numRuns: runs(2_000, 100_000) },
    );
  });
});

describe('recipientPatternError', () => {
  it.each(['*', '*@contoso.example', 'megan@contoso.example'])('accepts %s', (pattern) => {
    expect(recipientPatternError(pattern)).toBeUndefined();
  });

  it.each(['', '**', '*@', '*@*', '*@*.example', 'contoso.example', 'm*@contoso.example', '*@contoso.example '])(
    'rejects %j',
    (pattern) => {
      expect(recipientPatternError(pattern)).toBe('must be one plain address, *@domain or *');
    },
  );
});
