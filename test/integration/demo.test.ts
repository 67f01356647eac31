import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { REPOSITORY_ROOT } from '../support/site.ts';

test('npm run demo attaches a file, shows how far it is, and names the attachment', async () => {
  const demo = path.join(REPOSITORY_ROOT, 'local', 'demo.ts');

  const { stdout, stderr } = await promisify(execFile)(process.execPath, [demo]);

  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^Draft in the mailbox of adele@contoso\.example: \S+$/),
    expect.stringMatching(/ 0 % {2}0 of 5242880 bytes$/),
    expect.stringMatching(/ 75 % {2}3932160 of 5242880 bytes$/),
    expect.stringMatching(/ 100 % {2}5242880 of 5242880 bytes$/),
    expect.stringMatching(/^Attachment: AAMk\S+$/),
  ]);
});
