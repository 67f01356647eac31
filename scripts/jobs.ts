import { endWrongCall, readCommandLine } from './commandLine.ts';

const USAGE = `Usage: npm run jobs -- show|cancel <URL>   (the Location of the 202)
Prints or cancels a job. Exits with 1 if the job has failed or does not exist.`;

/**
 * `npm run jobs`: for the person on call. Asks the proxy at a job's address, which is all that it needs: no key and no account.
 * Prints status and body; exits 1 for a job that has failed or is not there, 2 for a wrong call.
 */
async function main(): Promise<number> {
  const { positionals } = readCommandLine(USAGE, {});
  const [command, address = ''] = positionals;
  const method = command === 'show' ? 'GET' : command === 'cancel' ? 'DELETE' : undefined;
  if (method === undefined || positionals.length !== 2 || !/^https?:/.test(address) || !URL.canParse(address)) {
    return endWrongCall('Give show or cancel, and the URL of a job');
  }
  const answer = await fetch(address, { method, redirect: 'manual' });
  const body = await answer.text();
  const retryAfter = answer.headers.get('retry-after');
  const again = retryAfter === null ? '' : `, ask again in ${retryAfter} s`;
  console.log(`${answer.status}${again}`);
  if (body !== '') console.log(indented(body));
  return answer.ok ? 0 : 1;
}

function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? `${error.message} ${error.cause ?? ''}` : error);
  process.exitCode = 1;
}
