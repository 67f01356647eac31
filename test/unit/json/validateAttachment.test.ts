import fc from 'fast-check';
import { MAX_DETAILS } from '../../../shared/common/limits.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { type MaxSizes, validateAttachment } from '../../../shared/json/validateAttachment.ts';
import { ITEM_KINDS, type ItemKind } from '../../../shared/paths/entityModel.ts';
import { thrownBy, VALID_BODY } from '../../support/builders.ts';

const CEILINGS: MaxSizes = { outlookBytes: 157_286_400, toDoBytes: 26_214_400 };
const VALID_INFO = { attachmentInfo: VALID_BODY.AttachmentItem };

function rejection(body: unknown, kind: ItemKind = 'message'): ServiceError {
  const error = thrownBy(() => validateAttachment(body, kind, CEILINGS));
  if (!(error instanceof ServiceError)) throw error;
  return error;
}

describe('validateAttachment', () => {
  it.each(ITEM_KINDS)('takes the shape that Graph binds to a %s, and no other', (kind) => {
    const [right, wrong] = kind === 'todoTask' ? [VALID_INFO, VALID_BODY] : [VALID_BODY, VALID_INFO];

    expect(validateAttachment(right, kind, CEILINGS)).toEqual({
      declared: { name: 'flower.jpg', sizeBytes: 3_483_322 },
      json: JSON.stringify(right),
    });
    expect(
      rejection(wrong, kind)
        .details.map(({ code }) => code)
        .sort(),
    ).toEqual(['Required', 'UnknownMember']);
  });

  it("answers the specification's own example with exactly two details", () => {
    const error = rejection({ AttachmentItem: { attachmentType: 'String', size: 4 } });

    expect(error).toMatchObject({ code: 'InvalidAttachment', status: 400, target: '/AttachmentItem/attachmentType' });
    expect(error.details.map(({ target }) => target)).toEqual([
      '/AttachmentItem/attachmentType',
      '/AttachmentItem/name',
    ]);
    expect(error.message).toContain('(and 1 more, see details)');
  });

  it('forwards the canonical spelling, whatever the case of the names', () => {
    const cased = fc.constantFrom(
      (name: string) => name,
      (name: string) => name.toUpperCase(),
      (name: string) => name.toLowerCase(),
    );
    fc.assert(
      fc.property(
        fc.record({
          name: fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => !/\p{Cc}/u.test(name)),
          size: fc.integer({ min: 1, max: CEILINGS.outlookBytes }),
          contentType: fc.constantFrom(null, 'image/jpeg', ''),
          isInline: fc.constantFrom(null, true, false),
          contentId: fc.constantFrom(null, 'cid-1'),
        }),
        cased,
        (members, spell) => {
          const canonical = { attachmentType: 'file', ...members };
          const sent = Object.fromEntries(Object.entries(canonical).map(([name, value]) => [spell(name), value]));

          const valid = validateAttachment(
            { [spell('AttachmentItem')]: { ...sent, [spell('attachmentType')]: spell('File') } },
            'message',
            CEILINGS,
          );

          expect(JSON.parse(valid.json)).toEqual({ AttachmentItem: canonical });
          expect(valid.declared.sizeBytes).toBe(members.size);
        },
      ),
    );
  });

  it('forwards annotations, inside and outside', () => {
    const body = {
      '@odata.context': 'x',
      AttachmentItem: {
        '@odata.type': '#microsoft.graph.attachmentItem',
        'name@x.y': null,
        ...VALID_BODY.AttachmentItem,
      },
    };

    expect(JSON.parse(validateAttachment(body, 'message', CEILINGS).json)).toEqual(body);
  });

  it.each([
    ['message', 'AttachmentItem', '#Microsoft.Graph.attachmentitem', '#microsoft.graph.attachmentItem'],
    ['event', 'AttachmentItem', 'MICROSOFT.GRAPH.ATTACHMENTITEM', 'microsoft.graph.attachmentItem'],
    ['todoTask', 'attachmentInfo', '#microsoft.graph.attachmentinfo', '#microsoft.graph.attachmentInfo'],
    ['message', 'AttachmentItem', '#Microsoft.Graph.FileAttachment', '#Microsoft.Graph.FileAttachment'],
  ] as const)('forwards for a %s the type of its %s %s as %s', (kind, parameter, written, sent) => {
    const body = { [parameter]: { '@odata.Type': written, ...VALID_BODY.AttachmentItem } };

    expect(JSON.parse(validateAttachment(body, kind, CEILINGS).json)).toEqual({
      [parameter]: { '@odata.type': sent, ...VALID_BODY.AttachmentItem },
    });
  });

  it('forwards a type that is not text as it is', () => {
    const body = { AttachmentItem: { '@odata.type': null, ...VALID_BODY.AttachmentItem } };

    expect(JSON.parse(validateAttachment(body, 'message', CEILINGS).json)).toEqual(body);
  });

  it.each(['message', 'todoTask'] as const)('forwards a name with control characters for a %s', (kind) => {
    const item = { ...VALID_BODY.AttachmentItem, name: 'Q1\treport\r\n\u0000.pdf', contentType: 'text/plain;\r\n a=b' };
    const body = kind === 'todoTask' ? { attachmentInfo: item } : { AttachmentItem: item };

    const { json, declared } = validateAttachment(body, kind, CEILINGS);

    expect(JSON.parse(json)).toEqual(body);
    expect(declared.name).toBe(item.name);
  });

  it('forwards a size as Graph reads it, however the number was written', () => {
    const body: unknown = JSON.parse('{"AttachmentItem":{"attachmentType":"file","name":"a","size":5.0e6}}');

    expect(validateAttachment(body, 'message', CEILINGS).json).toContain('"size":5000000}');
  });

  it.each([
    ['message', 157_286_400],
    ['event', 157_286_400],
    ['post', 157_286_400],
    ['outlookTask', 157_286_400],
    ['todoTask', 26_214_400],
  ] as const)('takes a %s of %d bytes, and not one more', (kind, ceiling) => {
    const body = (size: number) => {
      const item = { attachmentType: 'file', name: 'a', size };
      return kind === 'todoTask' ? { attachmentInfo: item } : { AttachmentItem: item };
    };

    expect(validateAttachment(body(ceiling), kind, CEILINGS).declared.sizeBytes).toBe(ceiling);
    expect(rejection(body(ceiling + 1), kind).details).toEqual([
      {
        code: 'SizeTooLarge',
        target: `/${Object.keys(body(1))[0]}/size`,
        message: `An upload session takes at most ${ceiling} bytes; ${ceiling + 1} were declared.`,
      },
    ]);
  });

  it('takes one byte: the floor is for Graph to decide', () => {
    expect(
      validateAttachment({ AttachmentItem: { ...VALID_BODY.AttachmentItem, size: 1 } }, 'message', CEILINGS),
    ).toHaveProperty('declared.sizeBytes', 1);
  });

  it('says every fault of a body at once', () => {
    const error = rejection({
      AttachmentItem: { attachmentType: 'reference', name: '', size: '3', isInline: 'no', colour: 1, Colour: 2 },
      extra: 1,
    });

    expect(error.details.map(({ code, target }) => `${code} ${target}`)).toEqual([
      'UnknownMember /AttachmentItem/Colour',
      'ValueNotAllowed /AttachmentItem/attachmentType',
      'UnknownMember /AttachmentItem/colour',
      'WrongType /AttachmentItem/isInline',
      'ValueNotAllowed /AttachmentItem/name',
      'WrongType /AttachmentItem/size',
      'UnknownMember /extra',
    ]);
  });

  it('refuses a member that stands there twice, even with the same value', () => {
    expect(rejection({ AttachmentItem: { ...VALID_BODY.AttachmentItem, SIZE: 3_483_322 } }).details).toMatchObject([
      { code: 'DuplicateMember', target: '/AttachmentItem/size' },
    ]);
  });

  it('lists a bounded number of faults and says how many there are', () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`m${index}`, 1]));

    const error = rejection({ AttachmentItem: { ...VALID_BODY.AttachmentItem, ...many } });

    expect(error.details).toHaveLength(MAX_DETAILS);
    expect(error.message).toContain('(and 4999 more, see details)');
  });

  it.each([null, [], [VALID_BODY], 'text', 4, true, {}, { AttachmentItem: null }, { AttachmentItem: [] }])(
    'refuses %j with 400',
    (body) => {
      const error = rejection(body);

      expect(error).toMatchObject({ code: 'InvalidAttachment', status: 400 });
      expect(error.details.length).toBeGreaterThan(0);
    },
  );

  it('answers any JSON with a valid attachment or an InvalidAttachment', () => {
    const member = fc.oneof(
      fc.constantFrom('AttachmentItem', 'name', 'size', 'attachmentType', '__proto__', '@a'),
      fc.string(),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, fc.jsonValue({ maxDepth: 1 }), fc.dictionary(member, tie('tree'))),
    }));
    fc.assert(
      fc.property(tree, fc.constantFrom(...ITEM_KINDS), (value, kind) => {
        const body: unknown = JSON.parse(JSON.stringify(value));
        try {
          expect(validateAttachment(body, kind, CEILINGS).declared.sizeBytes).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'InvalidAttachment' });
        }
      }),
      { numRuns: 300 },
    );
  });
});
