import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createModules } from '../../../functions/cachedModules.ts';

const CACHE = `${process.version}-${process.arch}.cache`;

const PART =
  "exports.os = require('node:os'); exports.at = [__filename, __dirname]; exports.fail = () => { throw new Error('here'); };";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'modules-'));
  writeFileSync(
    join(folder, 'main.cjs'),
    "module.exports = { one: require('./part.cjs'), two: require('./part.cjs') };",
  );
  writeFileSync(join(folder, 'part.cjs'), PART);
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Part {
  readonly os: unknown;
  readonly at: readonly string[];
  fail(): never;
}

function isMain(exports: unknown): exports is { one: Part; two: Part } {
  return typeof exports === 'object' && exports !== null && 'one' in exports;
}

function loadMain(modules = createModules(folder, (id) => ({ asked: id }))): { one: Part; two: Part } {
  const main = modules.load('./main.cjs');
  if (!isMain(main)) throw new TypeError('no exports');
  return main;
}

describe('createModules', () => {
  it('loads a file and those beside it once, and everything else by the require that it is given', () => {
    const { one, two } = loadMain();

    expect(one).toBe(two);
    expect(one.os).toEqual({ asked: 'node:os' });
    expect(one.at).toEqual([join(folder, 'part.cjs'), folder]);
  });

  it("has a stack name the file's own line and column", () => {
    expect.assertions(1);
    try {
      loadMain().one.fail();
    } catch (error) {
      expect(String(Object(error).stack)).toContain(`${join(folder, 'part.cjs')}:1:${PART.indexOf('new Error') + 1}`);
    }
  });

  it('loads a file again that failed while it was loaded', () => {
    const modules = createModules(folder, () => ({}));
    writeFileSync(join(folder, 'part.cjs'), "exports.half = true; throw new Error('not now');");
    expect(() => loadMain(modules)).toThrow('not now');

    writeFileSync(join(folder, 'part.cjs'), PART);

    expect(loadMain(modules).one.at[1]).toBe(folder);
  });

  it('writes what was compiled beside each file, and loads from it', () => {
    const modules = createModules(folder, () => ({}));
    loadMain(modules);

    modules.writeCaches();

    expect(readdirSync(folder).sort()).toEqual(['main.cjs', `main.cjs.${CACHE}`, 'part.cjs', `part.cjs.${CACHE}`]);
    expect(loadMain().one.at[1]).toBe(folder);
  });

  it('compiles as ever where the cache is of another file or no cache at all', () => {
    writeFileSync(join(folder, `part.cjs.${CACHE}`), 'no cache');

    expect(loadMain().one.at[1]).toBe(folder);
  });
});
