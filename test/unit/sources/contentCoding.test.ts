import { foreignCoding } from '../../../shared/sources/contentCoding.ts';

const codingOf = (contentEncoding: string | undefined, name: string, type?: string) =>
  foreignCoding(contentEncoding, { names: ['/a/b', name], types: [undefined, type] });

describe('foreignCoding', () => {
  it.each([
    undefined,
    '',
    ' ',
    'identity',
    'Identity',
    'utf-8',
    'UTF-8',
    'aws-chunked',
    'binary',
    'aws-chunked, utf-8',
    ',',
  ])('takes the bytes for the file where the value is %j, no coding of HTTP', (contentEncoding) => {
    expect(codingOf(contentEncoding, 'report.pdf', 'application/pdf')).toBeUndefined();
  });

  it.each([
    ['gzip', 'backup.tar.gz', undefined],
    ['GZIP', 'backup.TGZ', undefined],
    ['x-gzip', 'data.json.gz', undefined],
    ['gzip', 'backup', 'application/gzip'],
    ['gzip', 'backup', 'application/x-gzip; charset=binary'],
    ['aws-chunked, gzip', 'backup.tar.gz', undefined],
    ['zstd', 'dump.sql.zst', undefined],
    ['br', 'bundle.js.br', undefined],
    ['compress', 'archive.tar.Z', undefined],
  ])('takes the bytes for the file where %s is the format of %s (%s)', (contentEncoding, name, type) => {
    expect(codingOf(contentEncoding, name, type)).toBeUndefined();
  });

  it.each([
    ['gzip', 'report.pdf', 'application/pdf', 'gzip'],
    ['gzip', 'backup.tar', 'application/x-tar', 'gzip'],
    ['gzip', 'archive.zip', 'application/zip', 'gzip'],
    ['gzip', 'notes.gz.txt', 'text/plain', 'gzip'],
    ['br', 'backup.tar.gz', 'application/gzip', 'br'],
    ['gzip, br', 'backup.tar.gz', undefined, 'br'],
    ['aws-chunked,GZip', 'report.pdf', undefined, 'gzip'],
    ['deflate', 'report.zz', undefined, 'deflate'],
    ['aes128gcm', 'backup.tar.gz', undefined, 'aes128gcm'],
  ])('names the coding where %s is not the format of %s (%s)', (contentEncoding, name, type, coding) => {
    expect(codingOf(contentEncoding, name, type)).toBe(coding);
  });
});
