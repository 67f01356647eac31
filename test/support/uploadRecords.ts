import type { JobFile, JobRecord } from '../../shared/jobs/jobRecord.ts';
import type { UploadRecord } from '../../shared/uploads/uploadRecord.ts';

/** A sound record of an upload that has just begun. */
export function uploadRecordOf(changes: Partial<UploadRecord> = {}): UploadRecord {
  return {
    createdAt: new Date().toISOString(),
    target: {
      kind: 'message',
      version: 'v1.0',
      owner: { kind: 'mailbox', id: 'adele@contoso.example' },
      itemPath: 'messages/AAMk%3D',
    },
    caller: 'invoices',
    attachment: { name: 'Zq7-name.pdf', sizeBytes: 5_242_880, contentType: 'application/pdf' },
    wantsImmutableIds: false,
    session: {
      uploadUrl:
        "https://outlook.office.com/api/gv1.0/users('a')/messages('b')/AttachmentSessions('c')?authtoken=Zq7-token",
      expirationDateTime: new Date(Date.now() + 3_600_000).toISOString(),
    },
    offset: 0,
    uncertainOffsets: [],
    sessionsOpened: 1,
    state: { status: 'uploading' },
    ...changes,
  };
}

/** A sound record of a job that has just begun. */
export function jobRecordOf(changes: Partial<JobRecord> = {}, file: Partial<JobFile> = {}): JobRecord {
  const now = new Date().toISOString();
  const { createdAt, target, attachment, session, offset, uncertainOffsets, sessionsOpened } = uploadRecordOf();
  return {
    createdAt: now,
    caller: 'invoices',
    clientRequestId: '0c9a7be3-52d4-4d0e-8f86-2b1f3a4c5d6e',
    wantsImmutableIds: false,
    files: [
      {
        ...{ createdAt, target, attachment, session, offset, uncertainOffsets, sessionsOpened },
        sourceUrl: 'https://files.contoso.example/a.pdf?sig=Zq7-signature',
        sourceRule: {
          host: 'files.contoso.example',
          isHostExact: true,
          port: '443',
          isPortNamed: false,
          path: '/',
          place: '/callers/0/sources/0',
        },
        etag: '"1"',
        furthestOffset: 0,
        ...file,
      },
    ],
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    notBefore: now,
    movedAt: now,
    attempts: 0,
    wakeUps: 0,
    state: { status: 'running' },
    ...changes,
  };
}
