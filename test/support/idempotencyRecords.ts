import { hash } from 'node:crypto';
import { createUploadContainer } from '../../shared/storage/blobContainer.ts';
import { createSealedBlobs } from '../../shared/storage/sealedBlobs.ts';

/** Makes the record of an Idempotency-Key so much older: as if its request had begun then. The caller has a function key and no entry in a policy. */
export async function makeOlder(connectionString: string, key: string, ms: number): Promise<void> {
  const blobs = createSealedBlobs(
    createUploadContainer({ kind: 'connectionString', connectionString }, () => {}),
    'idempotency',
  );
  const secret = Buffer.from(hash('sha256', JSON.stringify(['functionKey', key]), 'hex'), 'hex');
  const stored = await blobs.read(secret);
  if (stored === undefined) throw new Error('Nothing is stored under this key.');
  const record: { startedAt: number } = JSON.parse(stored.content.toString());
  const older = { ...record, startedAt: record.startedAt - ms };
  const etag = await blobs.replace(secret, stored.etag, Buffer.from(JSON.stringify(older)));
  if (etag === undefined) throw new Error('Another has written the record.');
}
