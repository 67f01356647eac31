import type { ResponseData } from '../server/response.ts';
import { nextExpectedRanges } from '../transfer/contentRange.ts';
import type { UploadRecord } from '../uploads/uploadRecord.ts';

/**
 * The answer while a job goes on. 202 with a Location makes the engine of Logic Apps ask again
 * (learn.microsoft.com/azure/logic-apps/logic-apps-create-api-app). What is shown never goes back, also where the file is sent
 * anew in another session, and says 100 percent only once the file is attached.
 */
export function jobResponse(
  { attachment, offset, job }: UploadRecord,
  location: string,
  pollSeconds: number,
): ResponseData {
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
