import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRegularExpressions } from '../../../scripts/findRegularExpressions.ts';

const SCRIPT = join(__dirname, '../../../scripts/checkRegularExpressions.ts');

/** Of shared/transfer/contentRange.ts, until a header of 15 kB was found to block the event loop for 149 ms. */
const OLD_CONTENT_RANGE = String.raw`/^\s*bytes\s*[\s=]\s*(\d{1,15})\s*-\s*(\d{1,15})\s*\/\s*(\d{1,15})\s*$/i`;

function check(name: string, text: string): { status: number | null; lines: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'expressions-'));
  try {
    writeFileSync(join(folder, name), text);
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT, folder], { encoding: 'utf8' });
    return { status, lines: stdout.replaceAll(`${folder}/`, '').trim().split('\n') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('npm run lint', () => {
  it('fails on an expression that is not linear, one that cannot be proved, and one that is computed', () => {
    const source = [
      `const range = ${OLD_CONTENT_RANGE};`,
      'const linear = /^[a-z]+$/;',
      'const unproved = /^(?!a)b*/;',
      'const computed = new RegExp(process.argv[2]);',
    ];

    const { status, lines } = check('byteRange.ts', source.join('\n'));

    expect(lines).toEqual([
      `FAIL byteRange.ts:1 ${OLD_CONTENT_RANGE} 2nd degree polynomial`,
      'ok   byteRange.ts:2 /^[a-z]+$/ linear',
      'FAIL byteRange.ts:3 /^(?!a)b*/ unsupported: look-ahead assertion',
      'FAIL byteRange.ts:4 new RegExp(process.argv[2]) is computed: write a literal',
    ]);
    expect(status).toBe(1);
  });

  it('passes a file whose expressions are all linear, and reads JSON schemas', () => {
    const { status, lines } = check('item.schema.json', '{\n  "pattern": "^a*$"\n}');

    expect({ status, lines }).toEqual({ status: 0, lines: ['ok   item.schema.json:2 /^a*$/u linear'] });
  });
});

describe('findRegularExpressions in TypeScript', () => {
  it.each([
    ['const a = /[/]b\\/c/gi;', [{ kind: 'literal', line: 1, source: '[/]b\\/c', flags: 'gi' }]],
    ['const a = 4 / 2 / 1; // /no/\n"/no/"; `/no/`;', []],
    ["\nnew RegExp('a\\\\d', 'u');", [{ kind: 'literal', line: 2, source: 'a\\d', flags: 'u' }]],
    ['RegExp(`a`)', [{ kind: 'literal', line: 1, source: 'a', flags: '' }]],
    ["globalThis.RegExp('a' + b)", [{ kind: 'computed', line: 1, code: "globalThis.RegExp('a' + b)" }]],
    ["RegExp('a', flags)", [{ kind: 'computed', line: 1, code: "RegExp('a', flags)" }]],
    [
      "RegExp(/a/, 'g')",
      [
        { kind: 'computed', line: 1, code: "RegExp(/a/, 'g')" },
        { kind: 'literal', line: 1, source: 'a', flags: '' },
      ],
    ],
  ])('finds what %j holds', (text, found) => {
    expect(findRegularExpressions('a.ts', text)).toEqual(found);
  });
});

describe('findRegularExpressions in a schema', () => {
  it('finds patterns and the names in patternProperties at any depth', () => {
    const schema = {
      properties: { a: { anyOf: [{ pattern: '^a\\d$' }] }, pattern: { type: 'string' } },
      patternProperties: { '^b': { not: { pattern: 'c' } } },
    };

    expect(
      findRegularExpressions('a.json', JSON.stringify(schema, null, 1)).map(
        (found) => 'source' in found && found.source,
      ),
    ).toEqual(['^a\\d$', '^b', 'c']);
  });
});
