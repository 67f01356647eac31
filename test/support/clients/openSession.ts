import type { UploadArguments } from './uploadProgram.ts';

/** The members of an uploadSession that upload tasks read. */
export interface SessionMembers {
  readonly uploadUrl: string;
  readonly nextExpectedRanges: readonly string[];
}

/** Opens a session for the file, for clients that are replayed. */
export async function openSession(given: UploadArguments): Promise<SessionMembers> {
  const { baseUrl, mailbox, messageId, content } = given;
  const item = `${baseUrl}/v1.0/users/${mailbox}/messages/${messageId}`;
  const answer = await fetch(`${item}/attachments/createUploadSession`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ AttachmentItem: { attachmentType: 'file', name: 'report.pdf', size: content.length } }),
  });
  if (!answer.ok) throw new Error(`No session: ${answer.status}`);
  return readSession(answer);
}

/** A cast instead of a check: the tasks do not check either. */
export async function readSession(answer: Response): Promise<SessionMembers> {
  return (await answer.json()) as SessionMembers;
}

/** Sends a slice with the headers that all of Microsoft's upload tasks send. */
export function putSlice(uploadUrl: string, range: string, slice: Buffer): Promise<Response> {
  return fetch(uploadUrl, {
    method: 'PUT',
    headers: { 'content-range': `bytes ${range}`, 'content-type': 'application/octet-stream' },
    body: slice,
  });
}
