import fc from 'fast-check';
import type { ErrorDetail } from '../../../shared/errors.ts';
import { ATTACHMENT_INFO, ATTACHMENT_ITEM, type BodyShape, FILE_ATTACHMENT } from '../../../shared/json/bodyShape.ts';
import { escapePointer, explainError } from '../../../shared/json/explainError.ts';

/** What is said of a body in canonical spelling. */
function faultsOf(body: unknown, shape: BodyShape = ATTACHMENT_ITEM): ErrorDetail[] {
  shape.isValid(body);
  return (shape.isValid.errors ?? []).map((error) => explainError(error, shape));
}

const item = (members: object) => ({ AttachmentItem: { attachmentType: 'file', name: 'a', size: 1, ...members } });

describe('explainFault', () => {
  it.each([
    [{}, 'Required', '/AttachmentItem', "'AttachmentItem' is missing."],
    [item({ name: undefined }), 'Required', '/AttachmentItem/name', "'name' is missing."],
    [item({ name: '' }), 'ValueNotAllowed', '/AttachmentItem/name', "'name' must not be empty."],
    [item({ name: 5 }), 'WrongType', '/AttachmentItem/name', "'name' must be string, not number."],
    [item({ name: null }), 'WrongType', '/AttachmentItem/name', "'name' must be string, not null."],
    [item({ name: ['a'] }), 'WrongType', '/AttachmentItem/name', "'name' must be string, not array."],
    [item({ size: 0 }), 'ValueNotAllowed', '/AttachmentItem/size', "'size' must be at least 1."],
    [item({ size: -1 }), 'ValueNotAllowed', '/AttachmentItem/size', "'size' must be at least 1."],
    [item({ size: 1.5 }), 'WrongType', '/AttachmentItem/size', "'size' must be integer, not a number with a fraction."],
    [item({ size: true }), 'WrongType', '/AttachmentItem/size', "'size' must be integer, not boolean."],
    [
      item({ size: ' 4096 ' }),
      'WrongType',
      '/AttachmentItem/size',
      "'size' must be integer, not string. Send the number without quotes.",
    ],
    [item({ size: '4 kB' }), 'WrongType', '/AttachmentItem/size', "'size' must be integer, not string."],
    [
      item({ attachmentType: 'item' }),
      'ValueNotAllowed',
      '/AttachmentItem/attachmentType',
      "Only 'file' can be uploaded through a session.",
    ],
    [
      item({ isInline: 'true' }),
      'WrongType',
      '/AttachmentItem/isInline',
      "'isInline' must be boolean or null, not string.",
    ],
    [
      item({ filesize: 1 }),
      'UnknownMember',
      '/AttachmentItem/filesize',
      "'filesize' is not a member here. Known: attachmentType, name, size, contentType, isInline, contentId.",
    ],
    [item({ siez: 1 }), 'UnknownMember', '/AttachmentItem/siez', "'siez' is not a member here. Did you mean 'size'?"],
    [
      item({ foo: 1 }),
      'UnknownMember',
      '/AttachmentItem/foo',
      "'foo' is not a member here. Known: attachmentType, name, size, contentType, isInline, contentId.",
    ],
    [
      item({ contentTipe: 'x' }),
      'UnknownMember',
      '/AttachmentItem/contentTipe',
      "'contentTipe' is not a member here. Did you mean 'contentType'?",
    ],
    [
      { ...item({}), item: {} },
      'UnknownMember',
      '/item',
      "'item' is not a member here. Did you mean 'AttachmentItem'?",
    ],
    [[], 'WrongType', '', 'The body must be object, not array.'],
    [null, 'WrongType', '', 'The body must be object, not null.'],
    [{ AttachmentItem: 'file' }, 'WrongType', '/AttachmentItem', "'AttachmentItem' must be object, not string."],
    [
      item({ '@odata.type': {} }),
      'WrongType',
      '/AttachmentItem/@odata.type',
      "'@odata.type' must be string or number or boolean or null, not object.",
    ],
  ])('says of %j: %s at %s', (body, code, target, message) => {
    expect(faultsOf(JSON.parse(JSON.stringify(body)))).toEqual([{ code, target, message }]);
  });

  it('suggests from the members of the To Do shape, which has no isInline', () => {
    const body = { attachmentInfo: { attachmentType: 'file', name: 'a', size: 1, isInline: true } };

    expect(faultsOf(body, ATTACHMENT_INFO)).toEqual([
      {
        code: 'UnknownMember',
        target: '/attachmentInfo/isInline',
        message: "'isInline' is not a member here. Known: attachmentType, name, size, contentType.",
      },
    ]);
  });

  it.each([
    [ATTACHMENT_ITEM, 'AttachmentItem', { attachmentType: 'file', name: 'a', size: 5 }],
    [ATTACHMENT_ITEM, 'AttachmentItem', { Name: 'a', IsInline: true }],
    [ATTACHMENT_INFO, 'attachmentInfo', { attachmentType: 'file', name: 'a', size: 5 }],
    [FILE_ATTACHMENT, 'contentBytes', { '$content-type': 'text/plain', $content: 'QUJD' }],
  ])('says of members of %# that they belong inside one', (shape, parameter, members) => {
    const faults = faultsOf({ ...members, '@odata.context': 'x' }, shape);

    expect(faults.filter(({ code }) => code === 'UnknownMember')).toEqual(
      Object.keys(members).map((name) => ({
        code: 'UnknownMember',
        target: `/${name}`,
        message: `'${name}' belongs inside '${parameter}'.`,
      })),
    );
  });

  it('says what to put inside the missing parameter, and nothing where it is not that', () => {
    const messageOf = (body: unknown, shape?: BodyShape) => faultsOf(body, shape)[0]?.message;

    expect(messageOf({ name: 'a', size: 5 })).toBe("'AttachmentItem' is missing. Put 'name', 'size' inside it.");
    expect(messageOf({ isInline: true, colour: 1 })).toBe("'AttachmentItem' is missing. Put 'isInline' inside it.");
    expect(messageOf({ isInline: true }, ATTACHMENT_INFO)).toBe("'attachmentInfo' is missing.");
    expect(messageOf({ $content: 'QUJD' }, FILE_ATTACHMENT)).toBe("'name' is missing.");
  });

  it('escapes an unknown name in the pointer', () => {
    expect(faultsOf(item({ 'a/b~c': 1 }))).toMatchObject([{ target: '/AttachmentItem/a~1b~0c' }]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('takes %s for an unknown member', (name) => {
    const body = Object.assign(Object.create(null), {
      AttachmentItem: JSON.parse(`{"attachmentType":"file","name":"a","size":1,"${name}":1}`),
    });

    expect(faultsOf(body)).toMatchObject([{ code: 'UnknownMember', target: `/AttachmentItem/${name}` }]);
  });
});

describe('escapePointer', () => {
  it('can be undone as RFC 6901 says', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('~', '/', '0', '1', 'a') }), (name) => {
        const escaped = escapePointer(name);

        expect(escaped).not.toContain('/');
        expect(escaped.replaceAll('~1', '/').replaceAll('~0', '~')).toBe(name);
      }),
    );
  });
});
