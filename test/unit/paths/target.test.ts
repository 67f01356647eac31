import fc from 'fast-check';
import { graphPath, keySegment, type Target } from '../../../shared/paths/target.ts';

const TARGET: Target = { kind: 'message', version: 'v1.0', owner: { kind: 'me' }, itemPath: 'messages/AAMk%3D' };

describe('upstreamPath', () => {
  it('names a mailbox below users', () => {
    expect(graphPath(TARGET, { kind: 'mailbox', id: 'adele@contoso.example' }, 'createUploadSession')).toBe(
      '/users/adele%40contoso.example/messages/AAMk%3D/attachments/createUploadSession',
    );
  });

  it('names a group below groups', () => {
    expect(graphPath(TARGET, { kind: 'group', id: 'g' }, 'createUploadSession')).toBe(
      '/groups/g/messages/AAMk%3D/attachments/createUploadSession',
    );
  });

  it('leaves me as it is for a user', () => {
    expect(graphPath(TARGET, { kind: 'me', id: '87d349ed-44d7-43e1-9a83-5f2406dee5bd' }, 'createUploadSession')).toBe(
      '/me/messages/AAMk%3D/attachments/createUploadSession',
    );
  });

  it('encodes the owner so that it stays one segment, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }).filter((id) => !id.startsWith('$')),
        (id) => {
          const [, root, owner, ...rest] = graphPath(TARGET, { kind: 'mailbox', id }, 'createUploadSession').split('/');

          expect(root).toBe('users');
          expect(decodeURIComponent(owner ?? '')).toBe(id);
          expect(owner).not.toMatch(/[?#\\]/);
          expect(rest).toEqual(['messages', 'AAMk%3D', 'attachments', 'createUploadSession']);
        },
      ),
    );
  });
});

describe('keySegment', () => {
  it.each([
    ['$svc@contoso.example', "users('$svc%40contoso.example')"],
    ["$o'neil", "users('$o''neil')"],
    ["$a$')/x('", "users('$a$'')%2Fx(''')"],
    ['$', "users('$')"],
    ['a$b', 'users/a%24b'],
  ])('writes %s as %s', (key, segment) => {
    expect(keySegment('users', key)).toBe(segment);
  });
});
