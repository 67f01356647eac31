import { openSession, putSlice, type SessionMembers } from './openSession.ts';
import { runUpload } from './uploadProgram.ts';

// Replays what msgraph_core.tasks.LargeFileUploadTask of Python sends and what it takes (msgraph-sdk-python-core of June 2026), for
// machines without it. It adds a dash to the range that it is given, so that only a closed one is read; its later slices are
// one byte longer than the first; and when the file is attached it sends the last range once more, which of a file of one
// slice has no bytes: the file has been read to its end by then.

const SLICE_BYTES = 5 * 1024 * 1024;

await runUpload(async (given) => {
  const { content } = given;
  const { uploadUrl } = await openSession(given);
  let nextRange = `0-${Math.min(SLICE_BYTES, content.length) - 1}`;
  let position = 0;

  /** The ranges that come next, or undefined where the answer has no body. */
  async function sendNext(): Promise<readonly string[] | undefined> {
    const [first = Number.NaN, end = 0] = nextRange.split('-').map(Number);
    const last = first === 0 ? end : Math.min(end, first + SLICE_BYTES);
    if (first > 0) position = first; // It does not go back for the first slice.
    const slice = content.subarray(position, position + last - first + 1);
    position += slice.length;
    const answer = await putSlice(uploadUrl, `${first}-${last}/${content.length}`, slice);
    if (!answer.ok) throw new Error(`The server returned an unexpected status code: ${answer.status}`);
    const text = await answer.text();
    if (text === '') return undefined;
    const { nextExpectedRanges }: SessionMembers = JSON.parse(text);
    return nextExpectedRanges;
  }

  let expected = await sendNext();
  for (let left = Math.floor(content.length / SLICE_BYTES + 0.5); left >= 0; left -= 1) {
    if (left === 0) await sendNext();
    const [range] = expected ?? [];
    if (range === undefined) continue;
    nextRange = `${range}-`;
    expected = await sendNext();
  }
  return {};
});
