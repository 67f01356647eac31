import type { AttachmentsApi, GraphAttachment } from '../graph/attachmentsApi.ts';
import type { TransferRecord } from './transferRecord.ts';

/** What is known of a file that is attached. */
export interface AttachedFileInfo extends Pick<TransferRecord, 'target' | 'attachment'> {
  readonly attachmentId: string | undefined;
}

/**
 * The attachment as Graph gives it, without its bytes. If Graph does not show it within three seconds, what is known: the file is
 * attached, and that must become neither an error nor a long wait, after which a caller would send the file again.
 */
export async function describeAttachment(
  { attachmentId: id, target, attachment }: AttachedFileInfo,
  item: AttachmentsApi,
): Promise<GraphAttachment | Readonly<Record<string, unknown>>> {
  const read = id === undefined ? undefined : await item.readAttachment(id).catch(() => undefined);
  if (read !== undefined) return withoutBytes(read);
  const { name, sizeBytes, contentType, isInline, contentId } = attachment;
  const known = { id, name, contentType: contentType ?? null, size: sizeBytes };
  if (target.kind === 'todoTask') return { '@odata.type': '#microsoft.graph.taskFileAttachment', ...known };
  return {
    '@odata.type': '#microsoft.graph.fileAttachment',
    ...known,
    isInline: isInline ?? false,
    contentId: contentId ?? null,
  };
}

/** contentBytes would send the whole file back. */
export function withoutBytes(attachment: GraphAttachment): GraphAttachment {
  const { id, ...members } = attachment;
  const kept = Object.entries(members).filter(([name]) => name.toLowerCase() !== 'contentbytes');
  return { ...Object.fromEntries(kept), id };
}
