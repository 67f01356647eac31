/** The bytes of attachments by id, as many as fit: a long run or a large file must not fill the memory. */
export interface ContentStore {
  keep(id: string, content: Buffer): void;
  /** Undefined where they were never kept, or had to go. */
  find(id: string): Buffer | undefined;
  reset(): void;
}

/** Larger files are not kept: learn.microsoft.com/graph/use-the-api allows no single call to bring one. */
export const MAX_KEPT_BYTES = 4 * 1024 * 1024;
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;
/** Graph shows small files again at any time: these go last. */
const SMALL_BYTES = 64 * 1024;

/** When full, drops the oldest, large ones first. */
export function createContentStore(): ContentStore {
  const contents = new Map<string, Buffer>();
  let total = 0;

  function drop(isMeant: (content: Buffer) => boolean): void {
    for (const [id, content] of contents) {
      if (total <= MAX_TOTAL_BYTES) return;
      if (!isMeant(content)) continue;
      contents.delete(id);
      total -= content.length;
    }
  }

  return {
    keep(id, content) {
      if (content.length > MAX_KEPT_BYTES) return;
      contents.set(id, content);
      total += content.length;
      drop((old) => old.length > SMALL_BYTES);
      drop(() => true);
    },
    find: (id) => contents.get(id),
    reset() {
      contents.clear();
      total = 0;
    },
  };
}
