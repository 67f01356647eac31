import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

export const USAGE = `npm run smoke -- --url https://<app>.azurewebsites.net [options]
  --key KEY           a function key; better: the environment variable PROXY_KEY
  --token TOKEN       an Entra access token for the proxy; better: PROXY_TOKEN
  --mailbox ID --message ID
                      opens a session on this message, and one as a workflow does, and cancels them
  --attach            attaches a small text to that message, and leaves it there
  --keep-session      does not cancel the sessions
  --refused-mailbox ID
                      a mailbox that the policy does not admit: 403 is expected
  --ca FILE           a certificate authority to trust besides the usual ones (PEM)
The exit code is 0 when every step passed, 1 when one failed, 2 for a wrong call.`;

export interface SmokeOptions {
  /** Without a slash at its end, and without /api. */
  readonly url: string;
  readonly key: string | undefined;
  readonly token: string | undefined;
  readonly item: { readonly mailbox: string; readonly message: string } | undefined;
  readonly attaches: boolean;
  readonly refusedMailbox: string | undefined;
  readonly keepsSession: boolean;
  /** PEM. */
  readonly ca: string | undefined;
}

export type ParsedOptions =
  | { readonly kind: 'options'; readonly options: SmokeOptions }
  | { readonly kind: 'wrongCall'; readonly fault: string };

/** Reads the command line; key and token also from the environment, where no process list shows them. */
export function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ParsedOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        url: { type: 'string' },
        key: { type: 'string' },
        token: { type: 'string' },
        mailbox: { type: 'string' },
        message: { type: 'string' },
        attach: { type: 'boolean' },
        'refused-mailbox': { type: 'string' },
        'keep-session': { type: 'boolean' },
        ca: { type: 'string' },
      },
    });
    const { url, mailbox, message } = values;
    if (url === undefined || !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
      return wrongCall('--url must be an http(s) address.');
    if ((mailbox === undefined) !== (message === undefined)) return wrongCall('--mailbox and --message go together.');
    return {
      kind: 'options',
      options: {
        url: url.replace(/\/+$/, ''),
        key: values.key ?? environment['PROXY_KEY'],
        token: values.token ?? environment['PROXY_TOKEN'],
        item: mailbox === undefined || message === undefined ? undefined : { mailbox, message },
        attaches: values.attach ?? false,
        refusedMailbox: values['refused-mailbox'],
        keepsSession: values['keep-session'] ?? false,
        ca: values.ca === undefined ? undefined : readFileSync(values.ca, 'utf8'),
      },
    };
  } catch (error) {
    return wrongCall(error instanceof Error ? error.message : String(error));
  }
}

function wrongCall(fault: string): ParsedOptions {
  return { kind: 'wrongCall', fault };
}
