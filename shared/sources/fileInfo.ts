/** A file of known size, with what goes into its attachment. */
export interface FileInfo {
  readonly name: string;
  readonly sizeBytes: number;
  readonly contentType?: string;
  readonly isInline?: boolean;
  readonly contentId?: string;
}
