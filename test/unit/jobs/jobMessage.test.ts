import { sealJobId, unsealJobId } from '../../../shared/jobs/jobMessage.ts';
import { createSecret, formatSecret, seal } from '../../../shared/storage/seal.ts';

const KEY = 'a key of the tests, for their messages';
const ID = formatSecret(createSecret());

describe('a message of a job', () => {
  it('gives the id to anyone who has the key', () => {
    expect(unsealJobId(sealJobId(ID, KEY), KEY)).toBe(ID);
  });

  it('is another text each time, and holds nothing of the id', () => {
    const message = sealJobId(ID, KEY);

    expect(message).not.toBe(sealJobId(ID, KEY));
    expect(message).not.toContain(ID);
    expect(Buffer.from(message, 'base64url').includes(Buffer.from(ID, 'base64url'))).toBe(false);
  });

  it.each([
    ['sealed with another key', sealJobId(ID, `${KEY}!`)],
    ['the id itself', ID],
    ['cut', sealJobId(ID, KEY).slice(0, -2)],
    ['of another purpose', seal(Buffer.from(ID, 'base64url'), Buffer.from(KEY), 'upload').toString('base64url')],
    ['with an id of another length', seal(Buffer.from('short'), Buffer.from(KEY), 'job').toString('base64url')],
    ['empty', ''],
    ['what the trigger takes for JSON', { id: ID, dequeueCount: 99 }],
    ['a number', 5],
    ['nothing', undefined],
  ])('is not a message of the app: %s', (_, message) => {
    expect(unsealJobId(message, KEY)).toBeUndefined();
  });
});
