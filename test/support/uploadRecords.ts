import type { UploadRecord } from '../../shared/upload/uploadRecord.ts';

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
    mayHold: [],
    sessionsOpened: 1,
    state: { status: 'uploading' },
    ...changes,
  };
}
