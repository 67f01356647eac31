import type { Answer } from '../answer.ts';
import { nextExpectedRanges } from '../upload/byteRange.ts';
import type { UploadRecord } from '../upload/uploadRecord.ts';

/**
 * The answer while a job goes on. 202 with a Location makes the engine of Logic Apps ask again
 * (learn.microsoft.com/azure/logic-apps/logic-apps-create-api-app). What is shown never goes back, also where the file is sent
 * anew in another session, and says 100 percent only once the file is attached.
 */
export function jobAnswer({ attachment, offset, job }: UploadRecord, location: string, pollSeconds: number): Answer {
  const { sizeBytes } = attachment;
  const shownBytes = Math.max(offset, job?.furthestOffset ?? 0);
  return {
    status: 202,
    headers: { location, 'retry-after': String(pollSeconds) },
    body: JSON.stringify({
      status: 'uploading',
      percentComplete: sizeBytes === 0 ? 0 : Math.min(99, Math.floor((100 * shownBytes) / sizeBytes)),
      nextExpectedRanges: nextExpectedRanges(shownBytes, sizeBytes),
    }),
  };
}
