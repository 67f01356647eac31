import { ServiceError } from '../errors.ts';
import type { UpstreamAnswer } from '../graph/exchange.ts';
import { parseBody } from '../graph/relay.ts';
import { isObject } from '../isObject.ts';
import type { ByteSource } from '../source/byteSource.ts';
import type { UploadRecord } from '../upload/uploadRecord.ts';
import { findAttachment } from './findAttachment.ts';
import type { GraphAttachment, GraphItem } from './graphItem.ts';
import { UpstreamFailure } from './upstreamFailure.ts';

type WholeFile = Pick<UploadRecord, 'target' | 'attachment' | 'createdAt'>;

/**
 * Attaches a small file in one call (learn.microsoft.com/graph/api/message-post-attachments, …/todotask-post-attachments). Where
 * the answer is lost, the item says whether the file is there: it is never sent again on a guess.
 *
 * @throws UpstreamFailure for Graph's refusal, and what the source and the forwarder throw
 */
export async function addWhole(
  item: GraphItem,
  file: WholeFile,
  source: ByteSource,
  signal: AbortSignal,
): Promise<GraphAttachment> {
  const json = attachmentJson(file, await readWhole(source, signal));
  let answer: UpstreamAnswer;
  try {
    answer = await item.addAttachment(json);
  } catch (error) {
    return await foundOr(item, file, error);
  }
  if (answer.status >= 500 && answer.status !== 503) return await foundOr(item, file, new UpstreamFailure(answer));
  const attachment = parseBody(answer.body);
  if (answer.status >= 300) throw new UpstreamFailure(answer);
  if (isGraphAttachment(attachment)) return attachment;
  return await foundOr(
    item,
    file,
    new ServiceError('GraphAnswerInvalid', 'Graph sent an answer that is no attachment.'),
  );
}

/** The attachment that is there all the same; else the failure is thrown. */
async function foundOr(item: GraphItem, file: WholeFile, failure: unknown): Promise<GraphAttachment> {
  const found = await findAttachment(item, file).catch(() => undefined);
  if (found === undefined) throw failure;
  return found;
}

async function readWhole(source: ByteSource, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await source.read(signal); chunk !== undefined; chunk = await source.read(signal))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** learn.microsoft.com/graph/api/resources/fileattachment and …/taskfileattachment, which has no isInline and no contentId. */
function attachmentJson({ target, attachment }: WholeFile, bytes: Buffer): string {
  const { name, contentType, isInline, contentId } = attachment;
  const isTask = target.kind === 'todoTask';
  return JSON.stringify({
    '@odata.type': isTask ? '#microsoft.graph.taskFileAttachment' : '#microsoft.graph.fileAttachment',
    name,
    ...(isTask && { size: bytes.byteLength }),
    ...(contentType !== undefined && { contentType }),
    ...(isInline !== undefined && { isInline }),
    ...(contentId !== undefined && { contentId }),
    contentBytes: bytes.toString('base64'),
  });
}

function isGraphAttachment(value: unknown): value is GraphAttachment {
  return isObject(value) && typeof value['id'] === 'string';
}
