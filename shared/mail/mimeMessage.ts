import { ServiceError } from '../errors.ts';
import { Base64Decoder } from '../sources/base64Decoder.ts';
import { type ReadableBody, readPatiently } from '../sources/bodySource.ts';
import { invalidMessage } from './invalidMessage.ts';

/** Exchange answered 200 for larger ones and sent no mail (microsoftgraph/microsoft-graph-docs#13979: about 2,240 kB). */
const MAX_MIME_BODY_BYTES = 2_000_000;

/**
 * Reads a message as MIME in base64, which goes to Graph as it is. Its recipients and sender are known when Graph has read it.
 *
 * @throws ServiceError InvalidMessage, RequestBodyTooLarge, RequestBodyTimeout
 */
export async function readMimeMessage(body: ReadableBody, signal: AbortSignal): Promise<string> {
  const decoder = new Base64Decoder();
  const chunks: string[] = [];
  let bytes = 0;
  for (let chunk = await readPatiently(body, signal); chunk !== undefined; chunk = await readPatiently(body, signal)) {
    bytes += chunk.length;
    if (bytes > MAX_MIME_BODY_BYTES) {
      const message = `A message as MIME may have at most ${MAX_MIME_BODY_BYTES} bytes in base64. Send it as JSON, with its files in attachments.`;
      throw new ServiceError('RequestBodyTooLarge', message);
    }
    const text = chunk.toString('latin1');
    decoder.push(text);
    chunks.push(text);
  }
  const { sizeBytes } = decoder.end();
  const fault = decoder.fault ?? (sizeBytes === 0 ? 'is empty. Send a message as MIME, in base64' : undefined);
  if (fault === undefined) return chunks.join('');
  throw invalidMessage([{ code: 'ValueNotAllowed', message: `The body ${fault}.`, target: '' }]);
}
