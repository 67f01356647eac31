import { ServiceError } from '../../../shared/errors.ts';
import { type RequestParts, readDeclaredFile } from '../../../shared/sources/declaredFile.ts';

interface Said extends Partial<Pick<RequestParts, 'kind' | 'lengthHeader'>> {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function parts({ query = '', headers = {}, kind = 'message', lengthHeader = 'Content-Length' }: Said): RequestParts {
  const all = new Map(Object.entries(headers));
  return {
    kind,
    lengthHeader,
    query,
    headers: { get: (name) => all.get(name) ?? null },
    maxBytes: 1000,
  };
}

async function errorOf(said: Said): Promise<ServiceError> {
  const error: unknown = await readDeclaredFile(parts(said)).catch((reason: unknown) => reason);
  if (!(error instanceof ServiceError)) throw new Error(`Not refused: ${JSON.stringify(error)}`);
  return error;
}

/** `code target` of each detail. */
async function faultsOf(said: Said): Promise<string[]> {
  return (await errorOf(said)).details.map(({ code, target }) => `${code} ${target}`);
}

describe('readDeclaredFile', () => {
  it('reads everything from the query', async () => {
    const headers = { 'content-type': 'image/png; x=y' };

    const file = await readDeclaredFile(
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

  it('reads name and size from headers', async () => {
    const headers = { 'content-disposition': "attachment; filename*=UTF-8''%C3%96.png", 'content-length': '0' };

    expect(await readDeclaredFile(parts({ headers }))).toEqual({ name: 'Ö.png', sizeBytes: 0 });
  });

  it('takes the name of the query where there are two, and a size that is said twice alike', async () => {
    const headers = { 'content-disposition': 'attachment; filename=b', 'content-length': '5' };

    expect(await readDeclaredFile(parts({ query: 'name=a/b&size=5', headers }))).toEqual({ name: 'a/b', sizeBytes: 5 });
  });

  it("reads the opening of a workflow's chunked transfer, whose own length is 0", async () => {
    const headers = { 'content-length': '0', 'x-ms-content-length': '900' };

    expect(await readDeclaredFile(parts({ query: 'name=a', headers, lengthHeader: 'x-ms-content-length' }))).toEqual({
      name: 'a',
      sizeBytes: 900,
    });
  });

  it('leaves the size open where nothing says it', async () => {
    expect(await readDeclaredFile(parts({ query: 'name=a&isInline=false' }))).toEqual({ name: 'a', isInline: false });
  });

  it.each(['?size', 'Content-Length', 'x-ms-content-length'] as const)(
    'takes the largest size in %s, and not one byte more',
    async (target) => {
      const saidIn = (size: number): Said =>
        target === '?size'
          ? { query: `name=a&size=${size}` }
          : { query: 'name=a', headers: { [target.toLowerCase()]: String(size) }, lengthHeader: target };

      expect(await readDeclaredFile(parts(saidIn(1000)))).toMatchObject({ sizeBytes: 1000 });
      const error = await errorOf(saidIn(1001));
      expect([error.code, error.status, error.target]).toEqual(['RequestBodyTooLarge', 413, target]);
      expect(error.message).toMatch(/ 1001 bytes.* 1000 .*MAX_OUTLOOK_ATTACHMENT_BYTES/);
    },
  );

  it('names the setting of To Do for a task', async () => {
    expect((await errorOf({ query: 'name=a&size=1001', kind: 'todoTask' })).message).toContain(
      'MAX_TODO_ATTACHMENT_BYTES',
    );
  });

  it('does not read a length header that is not the length of the file', async () => {
    const said = parts({ query: 'name=a&size=7', headers: { 'content-length': '2000' } });

    expect(await readDeclaredFile({ ...said, lengthHeader: undefined })).toEqual({ name: 'a', sizeBytes: 7 });
  });

  it.each([
    ['name=a&contentType=image/png', 'text/plain', 'image/png'],
    ['name=a&CONTENTTYPE=%20image/png%0A', undefined, 'image/png'],
    ['name=a&contentType=', 'text/plain', 'text/plain'],
    ['name=a&contentType=image/svg+xml;+charset=utf-8', 'text/plain', 'image/svg+xml; charset=utf-8'],
    ['name=a', 'application/x-www-form-urlencoded', undefined],
    ['name=a', 'Application/X-WWW-Form-Urlencoded ; charset=UTF-8', undefined],
    ['name=a&contentType=application/x-www-form-urlencoded', 'text/plain', 'application/x-www-form-urlencoded'],
    ['name=a', 'application/x-www-form-urlencoded2', 'application/x-www-form-urlencoded2'],
    ['name=a', '', undefined],
  ])('takes from %s and Content-Type: %s the type %s', async (query, header, contentType) => {
    const file = await readDeclaredFile(
      parts({ query, headers: header === undefined ? {} : { 'content-type': header } }),
    );

    expect(file).toEqual({ name: 'a', ...(contentType !== undefined && { contentType }) });
  });

  it.each<[string, Said, string]>([
    ['a tab in the query', { query: 'name=a%09b' }, 'a b'],
    ['a line break of Windows', { query: 'name=a%0d%0ab' }, 'a b'],
    ['each of several line breaks', { query: 'name=a%0a%0d%0bb%c2%85' }, 'a   b '],
    ['a line break in the header', { headers: { 'content-disposition': "attachment; filename*=utf-8''a%0ab" } }, 'a b'],
    ['a tab in quotes in the header', { headers: { 'content-disposition': 'attachment; filename="a\tb"' } }, 'a b'],
  ])('reads %s of a name as a space', async (_, said, name) => {
    expect(await readDeclaredFile(parts(said))).toEqual({ name });
  });

  it('finds every fault at once', async () => {
    const said = {
      query: 'size=1e3&isInline=yes&contentId=a%00&contentId=b%0a',
      headers: { 'content-length': '1001' },
    };

    expect(await errorOf(said)).toMatchObject({ code: 'InvalidAttachment', status: 400, target: '?contentId' });
    expect(await faultsOf(said)).toEqual(
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
    ['a name with a control character', { query: 'name=a%00b' }, ['ValueNotAllowed ?name']],
    ['a name with an escape character', { query: 'name=a%1bb' }, ['ValueNotAllowed ?name']],
    ['a name that is not UTF-8', { query: 'name=caf%E9.pdf' }, ['ValueNotAllowed ?name']],
    ['the rest of a name whose & is not encoded', { query: 'name=R&D.pdf' }, ['ValueNotAllowed ?name']],
    ['a contentType with a line break', { query: 'name=a&contentType=a/b%0ac' }, ['ValueNotAllowed ?contentType']],
    [
      'an empty name in the header',
      { headers: { 'content-disposition': 'attachment; filename="a/"' } },
      ['ValueNotAllowed Content-Disposition'],
    ],
    [
      'a control character in the header',
      { headers: { 'content-disposition': "attachment; filename*=utf-8''a%00b" } },
      ['ValueNotAllowed Content-Disposition'],
    ],
    [
      'a name in the header that is not UTF-8',
      { headers: { 'content-disposition': "attachment; filename*=utf-8''caf%E9" } },
      ['ValueNotAllowed Content-Disposition'],
    ],
    ['two names', { query: 'name=a&NAME=b' }, ['DuplicateMember ?name']],
    ['two sizes', { query: 'name=a&size=1', headers: { 'content-length': '2' } }, ['Conflict ?size']],
    ['a negative size', { query: 'name=a&size=-1' }, ['ValueNotAllowed ?size']],
    ['a size past the ceiling', { query: 'name=a&size=1001' }, ['SizeTooLarge ?size']],
    ['a size past the ceiling and another fault', { query: 'size=1001' }, ['Required ?name', 'SizeTooLarge ?size']],
    ['a size past all numbers', { query: `name=a&size=1${'0'.repeat(20)}` }, ['ValueNotAllowed ?size']],
    [
      'what To Do does not have',
      { query: 'name=a&isInline=true&contentId=b', kind: 'todoTask' },
      ['UnknownMember ?contentId', 'UnknownMember ?isInline'],
    ],
  ])('refuses %s', async (_, said, faults) => {
    expect(await faultsOf(said)).toEqual(faults);
  });

  it.each([{ 'content-encoding': 'gzip' }, { 'content-type': 'multipart/form-data; boundary=x' }])(
    'refuses bytes that are not the file itself: %j',
    async (headers) => {
      expect((await errorOf({ query: 'name=a', headers })).code).toBe('UnsupportedMediaType');
    },
  );
});
