import { parseUploadUrl } from '../../../shared/transfer/uploadClient.ts';

const HOSTS = ['outlook.office.com', 'graph.microsoft.com', 'localhost:8443'];
const PATH = "/api/gv1.0/users('a@b')/messages('AAMk%3D')/AttachmentSessions('AAMk=')?authtoken=eyJh.b_c-d";

describe('readUploadAddress', () => {
  it.each([
    ['https://outlook.office.com', PATH],
    ['https://localhost:8443', PATH],
    ['https://graph.microsoft.com', '/v1.0/users/a/todo/lists/b/tasks/c/attachmentSessions/d'],
  ])('takes %s apart and changes nothing', (origin, path) => {
    expect(parseUploadUrl(origin + path, HOSTS)).toEqual({ origin, path });
  });

  it.each([
    ['nothing', ''],
    ['http', `http://outlook.office.com${PATH}`],
    ['another host', `https://outlook.example${PATH}`],
    ['a longer host', `https://outlook.office.com.evil.example${PATH}`],
    ['another port', `https://outlook.office.com:8443${PATH}`],
    ['a user', `https://outlook.office.com@evil.example${PATH}`],
    ['a user of an allowed host', `https://u:p@outlook.office.com${PATH}`],
    ['a backslash for a slash', `https://outlook.office.com\\@evil.example${PATH}`],
    ['a fragment', `https://outlook.office.com${PATH}#x`],
    ['no session', 'https://outlook.office.com/api/messages'],
    ['a session only in its query', 'https://outlook.office.com/api?x=/attachmentSessions'],
    ['dot segments', "https://outlook.office.com/AttachmentSessions('a')/../../x"],
    ['encoded dot segments', "https://outlook.office.com/AttachmentSessions('a')/%2e%2E/x"],
    ['a line break', `https://outlook.office.com${PATH}\r\nx: y`],
    ['a space', `https://outlook.office.com${PATH} HTTP/1.1`],
    ['letters outside ASCII', `https://outlook.office.com${PATH}ä`],
  ])('refuses an address with %s', (_, uploadUrl) => {
    expect(() => parseUploadUrl(uploadUrl, HOSTS)).toThrow(
      expect.objectContaining({ code: 'UploadHostNotAllowed', status: 502 }),
    );
  });
});
