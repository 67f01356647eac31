import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { basename } from 'node:path';

/** Where a frame with a file is: `/app/dist/main.cjs:12:3456`. */
const LOCATION = /^((?:\/|[A-Z]:\\)[^()]+):(\d+):(\d+)$/;

/**
 * The place in our source that threw, such as `shared/graph/graphHttp.ts:41`: enough to find the line, and no stack. The
 * source map is read only when something unforeseen has failed: Node's own source map support would read it at each start.
 */
export function sourceLocation(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const frame = error.stack
    ?.split('\n')
    .map(locationIn)
    .find((location) => location !== null);
  if (!frame) return undefined;
  const [, file = '', line = '', column = ''] = frame;
  return originalPlace(file, Number(line), Number(column)) ?? `${basename(file)}:${line}`;
}

/** From a line of a stack: `at name (location)`, `at location` or `at async location`. */
function locationIn(line: string): RegExpExecArray | null {
  const text = line.trim();
  if (!text.startsWith('at ')) return null;
  const location = text.endsWith(')') ? text.slice(text.lastIndexOf('(') + 1, -1) : text.slice('at '.length);
  return LOCATION.exec(location.replace(/^async /, ''));
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
