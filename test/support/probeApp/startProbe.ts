import type { HostLogLine } from '../../../local/host/log.ts';
import { type HostOptions, type LocalHost, startHost } from '../../../local/host/startHost.ts';
import { until } from '../until.ts';

export interface Probe extends LocalHost {
  readonly lines: readonly HostLogLine[];
  /** Waits for a log line whose message holds the text. */
  findLine(text: string): Promise<HostLogLine>;
  /** How many log lines hold the text so far. */
  countLines(text: string): number;
}

/** Starts the probe app, or the app in `appRoot`, and keeps what it logs. */
export async function startProbe(
  env: Readonly<Record<string, string>> = {},
  options: Partial<HostOptions> = {},
): Promise<Probe> {
  const lines: HostLogLine[] = [];
  const host = await startHost({ appRoot: import.meta.dirname, env, log: (line) => lines.push(line), ...options });
  const linesWith = (text: string) => lines.filter(({ message }) => message.includes(text));
  return {
    url: host.url,
    httpsUrl: host.httpsUrl,
    functions: host.functions,
    queueFunctions: host.queueFunctions,
    get workerPid() {
      return host.workerPid;
    },
    close: () => host.close(),
    lines,
    countLines: (text) => linesWith(text).length,
    findLine: (text) => until(`a log line that holds "${text}"`, () => linesWith(text)[0]),
  };
}
