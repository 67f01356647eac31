import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { joinRepeated, READ_HEADERS } from '../../../shared/server/repeatedHeaders.ts';

const ROOT = path.join(import.meta.dirname, '..', '..', '..');
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('joinRepeated', () => {
  it.each<[name: string, values: string[], expected: string | null]>([
    ['content-type', ['application/json'], 'application/json'],
    ['content-type', ['application/json', 'application/json'], 'application/json'],
    ['content-type', ['application/json,application/json'], 'application/json'],
    ['content-type', ['application/json', 'Application/JSON', 'application/json'], 'application/json'],
    ['content-type', ['text/plain; charset=utf-8', 'text/plain;charset=UTF-8'], 'text/plain;charset=UTF-8'],
    ['content-type', ['text/plain; x="a, text/html"'], 'text/plain; x="a, text/html"'],
    ['content-type', ['text/plain; x="a\\", text/html"'], 'text/plain; x="a\\", text/html"'],
    ['content-type', ['text/plain; x=a,b'], 'text/plain; x=a,b'],
    ['content-type', ['', 'text/plain'], 'text/plain'],
    ['content-type', ['', ''], ''],
    ['content-range', ['bytes 0-9/10', 'bytes 0-9/10'], 'bytes 0-9/10'],
    ['content-length', ['5', '5'], '5'],
    ['x-ms-content-length', ['5', '5'], '5'],
    ['x-ms-transfer-mode', ['chunked', 'Chunked'], 'Chunked'],
    ['content-disposition', ['attachment; filename=a, b.pdf'], 'attachment; filename=a, b.pdf'],
    ['content-disposition', ['attachment; filename="a, attachment; b"'], 'attachment; filename="a, attachment; b"'],
    ['content-disposition', ['attachment; filename=a', 'attachment; filename=a'], 'attachment; filename=a'],
    ['idempotency-key', ['a,b'], 'a,b'],
    ['idempotency-key', ['a,b', 'a,b'], 'a,b'],
    ['authorization', ['Bearer a', 'Bearer a'], 'Bearer a, Bearer a'],
    ['authorization', ['Bearer a', 'Bearer b'], 'Bearer a, Bearer b'],
    ['content-encoding', ['identity', 'identity'], 'identity'],
    ['content-encoding', ['identity', 'gzip'], 'identity, gzip'],
    ['prefer', ['respond-async', 'IdType="ImmutableId"'], 'respond-async, IdType="ImmutableId"'],
    ['client-request-id', ['a', 'a'], 'a'],
    ['client-request-id', ['a', 'b'], null],
    ['traceparent', [TRACE, TRACE], TRACE],
    ['traceparent', [TRACE, `${TRACE}0`], null],
    ['x-ms-workflow-run-id', ['a', 'b'], null],
    ['x-ms-action-tracking-id', ['a', 'b'], null],
    ['another', ['a', 'a'], 'a, a'],
    ['constructor', ['a', 'b'], 'a, b'],
  ])('takes %s: %j for %j', (name, values, expected) => {
    expect(joinRepeated(name, values)).toBe(expected);
  });

  it.each<[name: string, values: string[], target: string]>([
    ['content-type', ['application/json', 'text/plain'], 'Content-Type'],
    ['content-type', ['application/json,text/plain'], 'Content-Type'],
    ['content-type', ['text/plain; charset=utf-8', 'text/plain; charset=latin1'], 'Content-Type'],
    ['content-range', ['bytes 0-9/20', 'bytes 10-19/20'], 'Content-Range'],
    ['content-length', ['5', '6'], 'Content-Length'],
    ['x-ms-content-length', ['5', '6'], 'x-ms-content-length'],
    ['x-ms-transfer-mode', ['chunked', 'whole'], 'x-ms-transfer-mode'],
    ['content-disposition', ['attachment; filename=a', 'inline; filename=a'], 'Content-Disposition'],
    ['content-disposition', ['attachment; filename=a', 'attachment; filename=A'], 'Content-Disposition'],
    ['idempotency-key', ['a', 'b'], 'Idempotency-Key'],
  ])('refuses %s: %j and names the header', (name, values, target) => {
    expect(() => joinRepeated(name, values)).toThrow(
      expect.objectContaining({ code: 'InvalidRequest', target, message: expect.stringContaining(target) }),
    );
  });

  it('takes a header full of commas in linear time', () => {
    const startedAt = process.cpuUsage();
    joinRepeated('content-type', [',a/b'.repeat(4_000)]);
    joinRepeated('prefer', [','.repeat(16_000)]);
    expect(process.cpuUsage(startedAt).user).toBeLessThan(500_000);
  });
});

it('decides about every header that the source reads', () => {
  const files = globSync('{functions,shared}/**/*.ts', { cwd: ROOT });
  const read = files.flatMap((file) =>
    [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/headers\.get\('([^']+)'\)/g)].map(([, name]) => name),
  );

  // Two are named by a variable (declaredFile.ts).
  expect([...new Set([...read, 'content-length', 'x-ms-content-length'])].sort()).toEqual([...READ_HEADERS].sort());
});
