const RANGE_SIZE = 3_932_160; // Below Graph's 4 MiB for one request.

/**
 * Sends a stream of `size` bytes to the uploadUrl, range by range and in order, as Outlook demands. Resolves to the last
 * answer's Location. Holds one range in memory.
 */
export async function sendRanges(stream, size, uploadUrl) {
  let start = 0;
  let location = null;
  for await (const range of ranges(stream)) {
    const end = start + range.length - 1;
    if (end >= size) throw new Error(`The file has more than the ${size} bytes that x-upload-size says.`);
    location = await put(uploadUrl, range, `bytes ${start}-${end}/${size}`);
    start = end + 1;
  }
  if (start < size) throw new Error(`The file has ${start} bytes, x-upload-size says ${size}.`);
  if (location === null) throw new Error('Outlook took every range and named no attachment.');
  return location;
}

/** Regroups the chunks of a stream, which have any length, to ranges. */
async function* ranges(stream) {
  let parts = [];
  let length = 0;
  for await (let chunk of stream) {
    while (length + chunk.length >= RANGE_SIZE) {
      const missing = RANGE_SIZE - length;
      yield Buffer.concat([...parts, chunk.subarray(0, missing)]);
      chunk = chunk.subarray(missing);
      parts = [];
      length = 0;
    }
    parts.push(chunk);
    length += chunk.length;
  }
  if (length > 0) yield Buffer.concat(parts);
}

/** No Authorization header: the uploadUrl carries its own token, and a second one is answered 401. */
async function put(uploadUrl, body, contentRange) {
  const headers = { 'content-range': contentRange, 'content-type': 'application/octet-stream' };
  const answer = await fetch(uploadUrl, { method: 'PUT', headers, body, redirect: 'error' });
  await answer.arrayBuffer(); // Frees the connection.
  if (!answer.ok) throw new Error(`Outlook answered ${answer.status} to ${contentRange}.`);
  return answer.headers.get('location');
}
