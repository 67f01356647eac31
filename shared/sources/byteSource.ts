/** Bytes of a known length, read in order. */
export interface ByteSource {
  /** The exact length in bytes. */
  readonly sizeBytes: number;
  /**
   * The next bytes, at least one; undefined at the end, which comes after exactly `sizeBytes`. One read at a time.
   *
   * @throws ServiceError, or the signal's reason
   */
  read(signal: AbortSignal): Promise<Buffer | undefined>;
}
