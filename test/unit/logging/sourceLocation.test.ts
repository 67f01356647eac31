import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sourceLocation } from '../../../shared/logging/sourceLocation.ts';

function withStack(...frames: string[]): Error {
  const error = new Error('failed');
  error.stack = ['Error: failed', ...frames.map((frame) => `    at ${frame}`)].join('\n');
  return error;
}

describe('sourceLocation', () => {
  it('names the file and the line of a real error', () => {
    expect(sourceLocation(new Error('here'))).toMatch(/^sourceLocation\.test\.ts:\d+$/);
  });

  it.each([
    [['send (/app/dist/main.cjs:12:3456)'], 'main.cjs:12'],
    [['/app/dist/main.cjs:12:3456'], 'main.cjs:12'],
    [['async Object.send (/app/dist/main.cjs:7:1)'], 'main.cjs:7'],
    [['new Promise (<anonymous>)', 'send (/app/dist/main.cjs:7:1)'], 'main.cjs:7'],
    [
      [
        'new NodeError (node:internal/errors:405:5)',
        'node:internal/fs/utils:1:2',
        'f (/app/a.cjs:3:4)',
        'g (/app/b.cjs:5:6)',
      ],
      'a.cjs:3',
    ],
    [['f [as g(h)] (/app/my files/a.cjs:3:4)'], 'a.cjs:3'],
    [['eval (eval at f (/app/a.cjs:3:4), <anonymous>:1:1)', 'C:\\app\\b.cjs:5:6'], 'C:\\app\\b.cjs:5'],
  ])('takes the first frame that has a file from %j', (frames, place) => {
    expect(sourceLocation(withStack(...frames))).toBe(place);
  });

  it('names the place in our source where a source map lies next to the file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'place-'));
    try {
      // Line 1, column 0 of the bundle is line 41 of the source.
      const map = { version: 3, sources: ['../shared/graph/graphHttp.ts'], names: [], mappings: 'AAwCA' };
      writeFileSync(join(folder, 'main.cjs.map'), JSON.stringify(map));

      expect(sourceLocation(withStack(`send (${join(folder, 'main.cjs')}:1:1)`))).toBe('shared/graph/graphHttp.ts:41');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('never takes the message for a place', () => {
    const error = withStack('send (/app/a.cjs:3:4)');
    error.stack = `Error: first\n/secret/path:1:2\nat secret:1:2\n${error.stack?.split('\n').slice(1).join('\n')}`;

    expect(sourceLocation(error)).toBe('a.cjs:3');
  });

  it.each(['text', null, undefined, { stack: '    at f (/app/a.cjs:3:4)' }])('says nothing of %j', (error) => {
    expect(sourceLocation(error)).toBeUndefined();
  });
});
