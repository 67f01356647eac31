import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { until } from '../support/until.ts';

const NO_RETRIES = { retryOptions: { maxTries: 1 } };

function containerOf({ connectionString }: Azurite) {
  return BlobServiceClient.fromConnectionString(connectionString, NO_RETRIES).getContainerClient('letters');
}

describe('the emulated storage account', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'azurite-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('stores blobs and queues', async () => {
    const azurite = await startAzurite();
    try {
      await containerOf(azurite).create();
      await containerOf(azurite).getBlockBlobClient('a').upload('text', 4);
      const queue = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient('letters');
      await queue.create();
      await queue.sendMessage('hello');

      expect((await containerOf(azurite).getBlobClient('a').downloadToBuffer()).toString()).toBe('text');
      expect((await queue.receiveMessages()).receivedMessageItems[0]).toHaveProperty('messageText', 'hello');
    } finally {
      await azurite.stop();
    }
  });

  test('keeps what is in its folder over a restart on the same ports', async () => {
    const azurite = await startAzurite({ persistIn: folder });
    try {
      await containerOf(azurite).create();
      await containerOf(azurite).getBlockBlobClient('a').upload('text', 4);
      await azurite.restart();

      expect((await containerOf(azurite).getBlobClient('a').downloadToBuffer()).toString()).toBe('text');
    } finally {
      await azurite.stop();
    }
  });

  test('refuses connections once stopped, and another key', async () => {
    const [azurite, stranger] = await Promise.all([startAzurite(), startAzurite()]);
    try {
      const wrong = azurite.connectionString.replace(azurite.accountKey, stranger.accountKey);
      const client = BlobServiceClient.fromConnectionString(wrong, NO_RETRIES);
      await expect(client.getContainerClient('letters').create()).rejects.toHaveProperty('statusCode', 403);
      await azurite.stop();
      await azurite.stop();

      await expect(containerOf(azurite).create()).rejects.toHaveProperty('code', 'ECONNREFUSED');
    } finally {
      await stranger.stop();
    }
  });

  test('ends with the process that started it, however that ends', async () => {
    const script = join(folder, 'start.ts');
    const module = join(__dirname, '..', '..', 'local', 'azurite.ts');
    writeFileSync(
      script,
      `import { startAzurite } from ${JSON.stringify(module)};\nprocess.send((await startAzurite()).blobUrl);`,
    );
    const parent = fork(script, { execArgv: [] });
    const [blobUrl] = await once(parent, 'message');
    expect((await fetch(blobUrl)).status).toBe(400);

    parent.kill('SIGKILL');

    const isGone = () =>
      fetch(blobUrl).then(
        () => false,
        () => true,
      );
    await until('the end of the process', isGone);
  });
});
