import { randomBytes } from 'node:crypto';
import { Client, FileUpload, LargeFileUploadTask, type Range } from '@microsoft/microsoft-graph-client';

// The workflow of the demo, started by demo.ts: makes a draft at Graph with rights of its own, then attaches a file to it
// through the proxy with the stock LargeFileUploadTask. Arguments: the proxy's base URL, the mailbox.

const FILE_NAME = 'report.pdf';
const FILE_BYTES = 5 * 1024 * 1024;
/** 12 × 320 KiB, under the 4 MB that Outlook takes at a time: learn.microsoft.com/graph/outlook-large-attachments */
const RANGE_BYTES = 3_932_160;
const BAR_WIDTH = 40;

async function createDraft(mailbox: string): Promise<string> {
  const { GRAPH_URL, GRAPH_TOKEN } = process.env;
  const response = await fetch(`${GRAPH_URL}/v1.0/users/${mailbox}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${GRAPH_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ subject: 'The report' }),
  });
  const draft: unknown = await response.json();
  if (typeof draft !== 'object' || draft === null || !('id' in draft)) throw new Error('Graph made no draft.');
  return String(draft.id);
}

function showProgress(sentBytes: number): void {
  const share = sentBytes / FILE_BYTES;
  const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░');
  const line = `${bar} ${Math.round(share * 100)} %  ${sentBytes} of ${FILE_BYTES} bytes`;
  // A terminal sees one bar that grows; a file or a pipe gets one line per range.
  process.stdout.write(process.stdout.isTTY ? `\r${line}${sentBytes === FILE_BYTES ? '\n' : ''}` : `${line}\n`);
}

async function attachFile(proxyUrl: string, mailbox: string, draftId: string): Promise<string> {
  const client = Client.init({ baseUrl: proxyUrl, authProvider: (done) => done(null, '') });
  const path = `/users/${mailbox}/messages/${draftId}/attachments/createUploadSession`;
  const session = await LargeFileUploadTask.createUploadSession(client, path, {
    AttachmentItem: { attachmentType: 'file', name: FILE_NAME, size: FILE_BYTES },
  });
  const file = new FileUpload(randomBytes(FILE_BYTES), FILE_NAME, FILE_BYTES);
  showProgress(0);
  const task = new LargeFileUploadTask(client, file, session, {
    rangeSize: RANGE_BYTES,
    uploadEventHandlers: { progress: (range?: Range) => showProgress((range?.maxValue ?? -1) + 1) },
  });
  const { location } = await task.upload();
  const id = /attachments\('([^']+)'\)$/i.exec(decodeURIComponent(location))?.[1];
  if (id === undefined) throw new Error('The upload host named no attachment.');
  return id;
}

const [, , proxyUrl = '', mailbox = ''] = process.argv;
const draftId = await createDraft(mailbox);
console.log(`Draft in the mailbox of ${mailbox}: ${draftId}`);
const attachmentId = await attachFile(proxyUrl, mailbox, draftId);
console.log(`Attachment: ${attachmentId}`);
