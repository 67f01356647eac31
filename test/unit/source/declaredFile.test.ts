import { ServiceError } from '../../../shared/errors.ts';
import { type RequestParts, readDeclaredFile } from '../../../shared/source/declaredFile.ts';
import { thrownBy } from '../../support/builders.ts';

interface Said extends Partial<Pick<RequestParts, 'kind' | 'lengthHeader'>> {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function parts({ query = '', headers = {}, kind = 'message', lengthHeader = 'Content-Length' }: Said): RequestParts {
  const all = new Map(Object.entries(headers));
  return {
    kind,
    lengthHeader,
    query: new URLSearchParams(query),
    headers: { get: (name) => all.get(name) ?? null },
    ceilingBytes: 1000,
  };
}

function errorOf(said: Said): ServiceError {
  const error = thrownBy(() => readDeclaredFile(parts(said)));
  if (!(error instanceof ServiceError)) throw error;
  return error;
}

/** `code target` of each detail. */
function faultsOf(said: Said): string[] {
  return errorOf(said).details.map(({ code, target }) => `${code} ${target}`);
}

describe('readDeclaredFile', () => {
  it('reads everything from the query', () => {
    const headers = { 'content-type': 'image/png; x=y' };

    const file = readDeclaredFile(
      parts({ query: 'code=key&Name=Ö+1.png&size=7&isInline=True&contentid=logo', headers }),
    );

    expect(file).toEqual({
      name: 'Ö 1.png',
      sizeBytes: 7,
      contentType: 'image/png; x=y',
      isInline: true,
      contentId: 'logo',
    });
  });

  it('reads name and size from headers', () => {
    const headers = { 'content-disposition': "attachment; filename*=UTF-8''%C3%96.png", 'content-length': '0' };

    expect(readDeclaredFile(parts({ headers }))).toEqual({ name: 'Ö.png', sizeBytes: 0 });
  });

  it('takes the name of the query where there are two, and a size that is said twice alike', () => {
    const headers = { 'content-disposition': 'attachment; filename=b', 'content-length': '5' };

    expect(readDeclaredFile(parts({ query: 'name=a/b&size=5', headers }))).toEqual({ name: 'a/b', sizeBytes: 5 });
  });

  it("reads the opening of a workflow's chunked transfer, whose own length is 0", () => {
    const headers = { 'content-length': '0', 'x-ms-content-length': '900' };

    expect(readDeclaredFile(parts({ query: 'name=a', headers, lengthHeader: 'x-ms-content-length' }))).toEqual({
      name: 'a',
      sizeBytes: 900,
    });
  });

  it('leaves the size open where nothing says it', () => {
    expect(readDeclaredFile(parts({ query: 'name=a&isInline=false' }))).toEqual({ name: 'a', isInline: false });
  });

  it('finds every fault at once', () => {
    const said = {
      query: 'size=1e3&isInline=yes&contentId=a%00&contentId=b%0a',
      headers: { 'content-length': '1001' },
    };

    expect(errorOf(said)).toMatchObject({ code: 'InvalidAttachment', status: 400, target: '?contentId' });
    expect(faultsOf(said)).toEqual(
      [
        'DuplicateMember ?contentId',
        'ValueNotAllowed ?isInline',
        'Required ?name',
        'ValueNotAllowed ?size',
        'SizeTooLarge Content-Length',
      ].sort((a, b) => ((a.split(' ')[1] ?? '') < (b.split(' ')[1] ?? '') ? -1 : 1)),
    );
  });

  it.each<[string, Said, string[]]>([
    ['no name', {}, ['Required ?name']],
    ['an empty name', { query: 'name=' }, ['ValueNotAllowed ?name']],
    ['a name with a control character', { query: 'name=a%0d%0ab' }, ['ValueNotAllowed ?name']],
    [
      'an empty name in the header',
      { headers: { 'content-disposition': 'attachment; filename="a/"' } },
      ['ValueNotAllowed Content-Disposition'],
    ],
    [
      'a control character in the header',
      { headers: { 'content-disposition': "attachment; filename*=utf-8''a%0ab" } },
      ['ValueNotAllowed Content-Disposition'],
    ],
    ['two names', { query: 'name=a&NAME=b' }, ['DuplicateMember ?name']],
    ['two sizes', { query: 'name=a&size=1', headers: { 'content-length': '2' } }, ['Conflict ?size']],
    ['a negative size', { query: 'name=a&size=-1' }, ['ValueNotAllowed ?size']],
    ['a size past the ceiling', { query: 'name=a&size=1001' }, ['SizeTooLarge ?size']],
    ['a size past all numbers', { query: `name=a&size=1${'0'.repeat(20)}` }, ['ValueNotAllowed ?size']],
    [
      'what To Do does not have',
      { query: 'name=a&isInline=true&contentId=b', kind: 'todoTask' },
      ['UnknownMember ?contentId', 'UnknownMember ?isInline'],
    ],
  ])('refuses %s', (_, said, faults) => {
    expect(faultsOf(said)).toEqual(faults);
  });

  it.each([{ 'content-encoding': 'gzip' }, { 'content-type': 'multipart/form-data; boundary=x' }])(
    'refuses bytes that are not the file itself: %j',
    (headers) => {
      expect(errorOf({ query: 'name=a', headers }).code).toBe('UnsupportedMediaType');
    },
  );
});
