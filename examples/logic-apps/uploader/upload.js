import { app } from '@azure/functions';
import { sendRanges } from './sendRanges.js';

/** Where files may go. Without this list the function would send anything anywhere for whoever has its key. */
const HOSTS = (process.env.UPLOAD_HOSTS ?? 'outlook.office.com,outlook.office365.com').split(',');

// The body is read as it arrives, not put into memory first.
app.setup({ enableHttpStream: true });

/**
 * `POST /api/upload` with the file as the body, its uploadUrl in `x-upload-url` and its length in `x-upload-size`: headers that the
 * HTTP action of Logic Apps lets through, which Content-Range is not. 200 `{attachmentId}`, or `{error: {code, message}}`.
 */
app.http('upload', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'upload',
  // In streaming mode a handler that throws never answers.
  handler: (request) => upload(request).catch((error) => failure(502, 'UploadFailed', describe(error))),
});

async function upload(request) {
  const uploadUrl = URL.parse(request.headers.get('x-upload-url') ?? '');
  if (uploadUrl?.protocol !== 'https:' || !HOSTS.includes(uploadUrl.host)) {
    return failure(400, 'UploadUrlNotAllowed', `x-upload-url must be an https address on ${HOSTS.join(' or ')}.`);
  }
  const size = Number(request.headers.get('x-upload-size'));
  if (!Number.isSafeInteger(size) || size < 1) {
    return failure(400, 'SizeMissing', 'x-upload-size must be the length of the file in bytes.');
  }
  const location = await sendRanges(request.body ?? [], size, uploadUrl);
  return { jsonBody: { attachmentId: decodeURIComponent(location).match(/\('([^']+)'\)$/)?.[1] } };
}

function failure(status, code, message) {
  return { status, jsonBody: { error: { code, message } } };
}

/** What fetch says of a failed connection may quote the address; our own errors do not. */
function describe(error) {
  return error instanceof TypeError ? 'The connection to Outlook failed.' : error.message;
}
