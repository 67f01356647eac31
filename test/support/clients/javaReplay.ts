import { openSession, putSlice, readSession } from './openSession.ts';
import { runUpload } from './uploadProgram.ts';

// Replays what com.microsoft.graph.core.tasks.LargeFileUploadTask sends and what it takes (msgraph-sdk-java-core of April 2026),
// for machines without it. The slices are cut beforehand from the ranges of the session, and the loop over them ends before a
// last slice of one byte (issue 2581 there).

const SLICE_BYTES = 5 * 1024 * 1024;
const MAX_TRIES = 3;

function cut(ranges: readonly string[], sizeBytes: number): { first: number; last: number }[] {
  return ranges.flatMap((range) => {
    const [begin = '', end] = range.split('-');
    const lastByte = end === undefined ? sizeBytes - 1 : Number(end);
    const slices: { first: number; last: number }[] = [];
    for (let first = Number(begin); first < lastByte; first += SLICE_BYTES) {
      slices.push({ first, last: Math.min(first + SLICE_BYTES - 1, lastByte) });
    }
    return slices;
  });
}

/** The Location once the file is attached; undefined while it continues. */
async function readAnswer(answer: Response): Promise<string | undefined> {
  const type = answer.headers.get('content-type');
  if (type === null || answer.headers.get('content-length') === '0') {
    const location = answer.headers.get('location');
    if (answer.status === 201 && location) return location;
    throw new Error('There was no response for the upload.');
  }
  if (!answer.ok) throw new Error(`generalException: ${answer.status}`);
  // With a body, the Location is not looked at.
  if (answer.status === 201) throw new Error('A body is taken for the attachment.');
  const { nextExpectedRanges } = await readSession(answer);
  if (nextExpectedRanges.length === 0) throw new Error('A session without ranges is taken for the attachment.');
  return undefined;
}

await runUpload(async (given) => {
  const { content } = given;
  const session = await openSession(given);
  let { nextExpectedRanges } = session;
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    for (const { first, last } of cut(nextExpectedRanges, content.length)) {
      const slice = content.subarray(first, last + 1);
      const answer = await putSlice(session.uploadUrl, `${first}-${last}/${content.length}`, slice);
      const location = await readAnswer(answer);
      if (location !== undefined) return { location };
    }
    ({ nextExpectedRanges } = await readSession(await fetch(session.uploadUrl)));
  }
  return { error: 'The upload task was retried the maximum number of times without success.' };
});
