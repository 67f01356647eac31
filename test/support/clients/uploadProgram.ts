import { createHash, randomBytes } from 'node:crypto';

/** What a program that uploads a file of random bytes is started with. */
export interface UploadArguments {
  /** The address of Graph or of the proxy, without a version and a slash at the end. */
  readonly baseUrl: string;
  readonly mailbox: string;
  readonly messageId: string;
  readonly content: Buffer;
  /** What becomes of the upload after its first slice: it continues, a new task continues it, or it is given up. */
  readonly way: 'upload' | 'resume' | 'cancel';
}

/** Runs an upload by the arguments of the process, and prints as JSON what came of it, with the file's SHA-256. */
export async function runUpload(upload: (given: UploadArguments) => Promise<object>): Promise<void> {
  const [, , baseUrl = '', mailbox = '', messageId = '', size = '', way = 'upload'] = process.argv;
  if (way !== 'upload' && way !== 'resume' && way !== 'cancel') throw new Error(`There is no way ${way}.`);
  const content = randomBytes(Number(size));
  const result = await upload({ baseUrl, mailbox, messageId, content, way });
  console.log(JSON.stringify({ ...result, sha256: createHash('sha256').update(content).digest('hex') }));
}

/** Thrown by a listener for progress, to break an upload off after its first slice. */
export class Interrupted extends Error {}

/** Waits for an upload that a listener breaks off. */
export async function interrupted(upload: Promise<unknown>): Promise<void> {
  await upload.catch((error: unknown) => {
    if (!(error instanceof Interrupted)) throw error;
  });
}
