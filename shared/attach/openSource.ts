import { type Config, maxFileBytes } from '../config/config.ts';
import { ServiceError } from '../errors.ts';
import type { ItemKind } from '../paths/entityModel.ts';
import { createRequestSource } from '../sources/bodySource.ts';
import type { ByteSource } from '../sources/byteSource.ts';
import type { FileInfo } from '../sources/fileInfo.ts';
import { createMemorySource } from '../sources/memorySource.ts';
import { readUnsized } from '../sources/unsizedSource.ts';
import { openUrl } from '../sources/urlSource.ts';
import type { AuthorizeFile, RequestedFile } from './requestedFile.ts';

export interface OpenedFile {
  readonly source: ByteSource;
  readonly attachment: FileInfo;
  /** The source's strong entity tag. */
  readonly etag: string | undefined;
  close(): void;
}

/** @throws ServiceError of the source; CallerNotAllowed if only the source says how large the file is */
export async function openSource(
  { file, content }: RequestedFile,
  kind: ItemKind,
  authorize: AuthorizeFile,
  config: Config,
  signal: AbortSignal,
): Promise<OpenedFile> {
  const opened = (source: ByteSource) => {
    return { source, attachment: { ...file, sizeBytes: source.sizeBytes }, etag: undefined, close: () => {} };
  };
  switch (content.kind) {
    case 'memory':
      return opened(createMemorySource(content.chunks));
    case 'body': {
      if (file.sizeBytes !== undefined) return opened(createRequestSource(content.body, file.sizeBytes));
      const source = await readUnsized(content.body, signal);
      authorize(source.sizeBytes);
      return opened(source);
    }
    case 'url': {
      const maxBytes = maxFileBytes(kind, config);
      const checkSize = (totalBytes: number) => {
        if (totalBytes > maxBytes) throw tooLarge(totalBytes, maxBytes);
        authorize(totalBytes, content.url);
      };
      const { isDevelopment } = config;
      const options = { isDevelopment, checkSize, declared: file };
      const source = await openUrl(content.url, content.rule, options, signal);
      const { contentType, sizeBytes, etag } = source;
      const attachment = { ...(contentType !== undefined && { contentType }), ...file, sizeBytes };
      return { source, attachment, etag, close: () => source.close() };
    }
  }
}

function tooLarge(bytes: number, maxBytes: number): ServiceError {
  const message = `At most ${maxBytes} bytes can be attached; the file at the sourceUrl has ${bytes}.`;
  return new ServiceError('InvalidAttachment', message, {
    target: '/sourceUrl',
    details: [{ code: 'SizeTooLarge', message, target: '/sourceUrl' }],
  });
}
