import type { NamedError } from './namedErrors.ts';

/** Which PUTs of a session: by the place of the range in the file, or by number, counted from 0, refused ones included. */
export type ChunkChoice = 'first' | 'middle' | 'last' | number;

export interface UploadError extends NamedError {
  /** Played where nothing is said of the piece. */
  readonly chunk?: ChunkChoice;
}

const MESSAGE_SIZE = {
  code: 'ErrorMessageSizeExceeded',
  message: 'The message exceeds the maximum supported size.',
  withoutInnerError: true,
} as const;

/** The faults of an upload under way, besides those of faults.ts: name → what it does. */
export const UPLOAD_ERRORS = {
  resetAfterCommit: {
    description: 'takes the bytes, then resets the connection; after the last piece the attachment exists',
    behaviour: { kind: 'reset', at: 'afterCommit' },
  },
  hangAfterCommit: {
    description: 'takes the bytes and never answers; on the last piece the attachment exists',
    behaviour: { kind: 'hang', at: 'afterCommit' },
  },
  status503AfterCommit: {
    description: '503 serviceNotAvailable, though the bytes were taken',
    behaviour: {
      kind: 'error',
      status: 503,
      code: 'serviceNotAvailable',
      message: 'The service is temporarily unavailable.',
      afterCommit: true,
    },
  },
  status409AfterCommit: {
    description: '409 Conflict, though the bytes were taken',
    behaviour: {
      kind: 'error',
      status: 409,
      code: 'Conflict',
      message: 'The request conflicts with another one.',
      afterCommit: true,
    },
  },
  status404AfterCommit: {
    description: '404 ErrorItemNotFound, though the bytes were taken',
    behaviour: {
      kind: 'error',
      status: 404,
      code: 'ErrorItemNotFound',
      message: 'The specified object was not found in the store.',
      afterCommit: true,
    },
  },
  // Seen so in microsoftgraph/microsoft-graph-docs-contrib#2561; the status is not certain.
  status413MessageSize: {
    description: '413 ErrorMessageSizeExceeded without innerError',
    behaviour: { kind: 'error', status: 413, ...MESSAGE_SIZE },
  },
  status400MessageSize: {
    description: '400 ErrorMessageSizeExceeded without innerError',
    behaviour: { kind: 'error', status: 400, ...MESSAGE_SIZE },
  },
  resetMidBody: {
    description: 'resets the connection when half of the piece has come in',
    behaviour: { kind: 'reset', at: 'inRequestBody' },
  },
  sessionGone: {
    description: 'the session is gone: 404 ErrorItemNotFound from now on',
    behaviour: { kind: 'session', becomes: 'gone' },
  },
  expired: {
    description: 'the session is over: from now on 401 InvalidAuthenticationToken at Outlook, 404 at To Do',
    behaviour: { kind: 'session', becomes: 'expired' },
  },
  notFoundAtFirst: {
    description: 'the first PUT of a session finds no item, nor does any other of that session: 404 ErrorItemNotFound',
    behaviour: { kind: 'session', becomes: 'notFound' },
    chunk: 0,
  },
} as const satisfies Record<string, UploadError>;

export type UploadErrorName = keyof typeof UPLOAD_ERRORS;

export function isUploadErrorName(name: string): name is UploadErrorName {
  return Object.hasOwn(UPLOAD_ERRORS, name);
}
