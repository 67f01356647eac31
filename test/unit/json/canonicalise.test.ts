import type { ErrorDetail } from '../../../shared/errors.ts';
import { ATTACHMENT_ITEM } from '../../../shared/json/bodyShape.ts';
import { canonicalise } from '../../../shared/json/canonicalise.ts';

function canonicalised(body: unknown): { value: unknown; details: ErrorDetail[] } {
  const details: ErrorDetail[] = [];
  return { value: JSON.parse(JSON.stringify(canonicalise(body, ATTACHMENT_ITEM, details))), details };
}

describe('canonicalise', () => {
  it("spells every member as Graph's metadata does", () => {
    const { value, details } = canonicalised({
      ATTACHMENTITEM: {
        AttachmentType: 'FILE',
        Name: 'a',
        SIZE: 1,
        contenttype: 'b',
        IsInline: true,
        contentid: 'c',
      },
    });

    expect(value).toEqual({
      AttachmentItem: { attachmentType: 'file', name: 'a', size: 1, contentType: 'b', isInline: true, contentId: 'c' },
    });
    expect(details).toEqual([]);
  });

  it('leaves unknown members, annotations and values as they are', () => {
    const item = { '@odata.Etag': 'W/"1"', Colour: 'FILE', attachmentType: 'Reference' };

    expect(canonicalised({ AttachmentItem: item, Other: 1 }).value).toEqual({ AttachmentItem: item, Other: 1 });
  });

  it('says each member that stands there twice, outside and inside', () => {
    const { details } = canonicalised({ attachmentItem: {}, AttachmentItem: { Size: 1, size: 2, SIZE: 3 } });

    expect(details).toEqual([
      expect.objectContaining({ code: 'DuplicateMember', target: '/AttachmentItem' }),
      expect.objectContaining({ code: 'DuplicateMember', target: '/AttachmentItem/size' }),
      expect.objectContaining({ code: 'DuplicateMember', target: '/AttachmentItem/size' }),
    ]);
  });

  it('keeps __proto__ and constructor members like any other', () => {
    const details: ErrorDetail[] = [];
    const body: unknown = JSON.parse('{"__proto__":{"size":1},"constructor":2,"AttachmentItem":{"__proto__":3}}');

    const value = canonicalise(body, ATTACHMENT_ITEM, details);

    expect(JSON.stringify(value)).toBe('{"__proto__":{"size":1},"constructor":2,"AttachmentItem":{"__proto__":3}}');
    expect(details).toEqual([]);
  });

  it.each([null, 1, 'text', [[]], true])('gives back %j, which has no members', (body) => {
    expect(canonicalise(body, ATTACHMENT_ITEM, [])).toBe(body);
  });

  it('does not change the body it was given', () => {
    const body = { attachmentitem: { NAME: 'a' } };

    canonicalise(body, ATTACHMENT_ITEM, []);

    expect(body).toEqual({ attachmentitem: { NAME: 'a' } });
  });
});
