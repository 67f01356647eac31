import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { basename } from 'node:path';

/** A stack's first frame with a file: `at name (/app/dist/main.cjs:12:3456)`. */
const FRAME = /^\s*at (?:async )?(?:.*\()?((?:\/|[A-Z]:\\)[^()\n]+?):(\d+):(\d+)\)?$/m;

/**
 * The place in our source that threw, such as `shared/graph/forward.ts:41`: enough to find the line, and no stack. The
 * source map is read only when something unforeseen has failed: Node's own source map support would read it at each start.
 */
export function placeOf(error: unknown): string | undefined {
  const frame = error instanceof Error ? FRAME.exec(error.stack ?? '') : null;
  if (frame === null) return undefined;
  const [, file = '', line = '', column = ''] = frame;
  return originalPlace(file, Number(line), Number(column)) ?? `${basename(file)}:${line}`;
}

function originalPlace(file: string, line: number, column: number): string | undefined {
  try {
    const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
    const entry = map.findEntry(line - 1, column - 1);
    if (!('originalSource' in entry)) return undefined;
    return `${entry.originalSource.replace(/^(\.\.\/)+/, '')}:${entry.originalLine + 1}`;
  } catch {
    return undefined; // No map beside the file: the source itself is running.
  }
}
