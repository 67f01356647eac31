import { changeJob, inMs, openJobStore } from '../jobRecords.ts';
import { locationOf, startJobSite } from '../jobSite.ts';
import { fileOf } from '../uploads.ts';
import type { Provocations } from './provocations.ts';

/** One request for each code that a job alone can end with. */
export async function startJobErrors(): Promise<Provocations> {
  const site = await startJobSite();
  return {
    codes: {
      async JobFailed() {
        const location = locationOf(await site.ask(fileOf(1)));
        await changeJob(openJobStore(site.storage?.connectionString ?? ''), location, { endsAt: inMs(-60_000) });
        return fetch(location);
      },
    },
    close: () => site.close(),
  };
}
