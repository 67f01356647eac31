/** What makes the app answer with each of some codes. */
export interface Provocations {
  readonly codes: Readonly<Record<string, () => Promise<Response>>>;
  close(): Promise<void>;
}
