/** Reads .NET's notation of a time, `[-][d.]hh:mm:ss[.fffffff]`, into milliseconds. Undefined: it is none. */
export function parseTimeSpan(text: unknown): number | undefined {
  const [, days = 0, hours, minutes, seconds] =
    (typeof text === 'string' && /^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d{1,7})?)$/.exec(text)) || [];
  if (hours === undefined) {
    return undefined;
  }
  return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
}
