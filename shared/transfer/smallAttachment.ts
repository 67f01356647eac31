import { isObject } from '../common/isObject.ts';
import { MAX_SINGLE_POST_BYTES, MIN_SESSION_BYTES } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import type { AttachmentsApi, GraphAttachment } from '../graph/attachmentsApi.ts';
import { GraphError, isRefusal } from '../graph/graphError.ts';
import { parseBody } from '../graph/graphResponse.ts';
import { errorCode } from '../server/response.ts';
import { findAttachment } from './findAttachment.ts';
import type { TransferRecord } from './transferRecord.ts';

type WholeFile = Pick<TransferRecord, 'target' | 'attachment' | 'createdAt'>;

/** Graph's code for a file that is too small for a session: learn.microsoft.com/graph/outlook-large-attachments */
export const SIZE_BELOW_MINIMUM = 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize';

/** What a file became. */
export interface AttachedFile {
  /** Undefined where Graph named none. */
  readonly id: string | undefined;
  /** As Graph gave it, its bytes included; undefined where it must be asked for. */
  readonly shown?: GraphAttachment;
}

/**
 * Attaches a small file in one call (learn.microsoft.com/graph/api/message-post-attachments, …/todotask-post-attachments). Where
 * the answer is lost, the item says whether the file is there: it is never sent again on a guess.
 *
 * @throws GraphError for Graph's refusal, and what graphHttp throws
 */
export async function postAttachment(
  item: Pick<AttachmentsApi, 'addAttachment' | 'listAttachments' | 'readContent'>,
  file: WholeFile,
  chunks: readonly Buffer[],
): Promise<AttachedFile & { readonly id: string }> {
  const bytes = Buffer.concat(chunks);
  let there: GraphAttachment | undefined;
  const find = async () => {
    there ??= await findAttachment(item, file, bytes);
    return there;
  };
  try {
    const { status, headers, body } = await item.addAttachment(
      attachmentJson(file, bytes),
      async () => (await find()) !== undefined,
    );
    if (there !== undefined) return { id: there.id };
    const attachment = parseBody(body);
    if (status < 300 && isGraphAttachment(attachment)) return { id: attachment.id, shown: attachment };
    if (status >= 300) throw new GraphError({ status, headers, body });
    throw new ServiceError('GraphAnswerInvalid', 'Graph sent an answer that is no attachment.');
  } catch (failure) {
    const found = isRefusal(failure) ? undefined : await find().catch(() => undefined);
    if (found === undefined) throw failure;
    return { id: found.id };
  }
}

/**
 * Whether Graph refuses a file as too long for one call, where a session might take it: tenants differ in the band between.
 * 413, or 400 as some front ends put it (microsoft-graph-docs-contrib issue 682).
 */
export function isTooLongForOneCall(error: unknown, { sizeBytes }: TransferRecord['attachment']): boolean {
  if (!(error instanceof GraphError) || sizeBytes < MIN_SESSION_BYTES) return false;
  const { status, body } = error.response;
  return status === 413 || (status === 400 && errorCode(parseBody(body)) === 'BadRequest');
}

/**
 * Whether Graph refuses a session for a file as too short, where one call might take it: learn.microsoft.com/graph/outlook-large-attachments
 * names this error.
 */
export function isTooShortForSession(error: unknown, { sizeBytes }: TransferRecord['attachment']): boolean {
  if (!(error instanceof GraphError) || sizeBytes > MAX_SINGLE_POST_BYTES) return false;
  return errorCode(parseBody(error.response.body)) === SIZE_BELOW_MINIMUM;
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
