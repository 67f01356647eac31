import { findWords } from '../../../scripts/checkWords.ts';

describe('findWords', () => {
  it('finds words in the text of a document, with line and advice', () => {
    const page = ['# Title', '', 'The proxy goes on.', 'It starts anew.'].join('\n');

    expect(findWords('docs/page.md', page)).toEqual([
      "docs/page.md:3: 'goes on': write continues",
      "docs/page.md:4: 'anew': write again",
    ]);
  });

  it('skips code in a document', () => {
    const page = ['Run `git stash alone`.', '```', 'beside', '```'].join('\n');

    expect(findWords('docs/page.md', page)).toEqual([]);
  });

  it('finds words in comments, texts and templates of a source file', () => {
    const source = [
      '/**',
      ' * Reads it anew.',
      ' */',
      "throw new Error('It stands in for Graph.');",
      '// The key alone decides.',
      `const message = \`Of \${size} bytes, so many were sent.\`;`,
      'try { } catch { /* whoever */ }',
    ].join('\n');

    expect(findWords('shared/a.ts', source).map((found) => found.split(': write')[0])).toEqual([
      "shared/a.ts:2: 'anew'",
      "shared/a.ts:4: 'stands in'",
      "shared/a.ts:5: 'alone'",
      "shared/a.ts:6: 'so many'",
      "shared/a.ts:7: 'whoever'",
    ]);
  });

  it('ignores identifiers and texts of one word, but not old names', () => {
    const source = ["const alone = 'beside';", 'askedFile(alone);'].join('\n');

    expect(findWords('shared/a.ts', source)).toEqual(["shared/a.ts:2: 'askedFile': write the new name (CHANGELOG.md)"]);
  });

  it.each(['There is none.', 'The mailbox of the user is left as it is.', 'A lone surrogate.'])(
    'accepts %s',
    (text) => {
      expect(findWords('docs/page.md', text)).toEqual([]);
    },
  );
});
