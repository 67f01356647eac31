import { ADELE } from '../../local/emulators/seed.ts';
import { type JobSite, locationOf, startJobSite, untilOver } from '../support/jobSite.ts';
import { expectGraphError } from '../support/site.ts';
import { fileOf } from '../support/uploads.ts';

let site: JobSite;

beforeAll(async () => {
  site = await startJobSite();
  await site.startWorker();
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

function attachments(itemId: string = ADELE.items.message[0]) {
  return site.graph.attachments(ADELE.id, itemId);
}

test.each([0, 1, 2_999_999, 3_000_000, 3_932_160, 3_932_161, 9_000_000])(
  'attaches a file of %d bytes',
  async (size) => {
    const file = fileOf(size);

    const asked = await site.ask(file);

    expect([asked.status, await asked.clone().json()]).toEqual([
      202,
      { status: 'uploading', percentComplete: 0, nextExpectedRanges: size === 0 ? [] : [`0-${size - 1}`] },
    ]);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      location: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/api\/uploadSessions\/[\w-]{43}$/),
      'preference-applied': 'respond-async',
      'retry-after': '5',
    });
    const over = await untilOver(locationOf(asked));
    expect([over.status, await over.json()]).toEqual([
      201,
      expect.objectContaining({ id: attachments()[0]?.id, name: file.name, contentType: 'application/pdf' }),
    ]);
    expect(attachments()).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
  },
);

test('fails as Graph says where the item is not there', async () => {
  const asked = await site.ask(fileOf(4_000_000), { item: 'me/messages/AAMkAGnobody%3D' });

  const over = await untilOver(locationOf(asked));

  await expectGraphError(over, 404, 'ErrorItemNotFound');
});
