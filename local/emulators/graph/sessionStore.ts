import { createHash, type Hash, randomBytes } from 'node:crypto';
import type { Caller } from '../common/tokenRegistry.ts';
import { MAX_KEPT_BYTES } from './contentStore.ts';
import { type ItemRef, newExchangeId } from './mailboxStore.ts';

/** What the caller declared, read from `AttachmentItem` or `attachmentInfo`. */
export interface DeclaredAttachment {
  readonly name: string | null;
  readonly size: number;
  readonly contentType: string | null;
  readonly isInline: boolean;
  readonly contentId: string | null;
}

export interface UploadSession {
  readonly id: string;
  readonly item: ItemRef;
  readonly attachment: DeclaredAttachment;
  /** The secret in an Outlook uploadUrl; a To Do session has none and asks for the bearer token. */
  readonly authtoken: string | undefined;
  /** Whose token it was opened with; a To Do session takes no other's. */
  readonly openedBy: Caller;
  /** Decoded path of the uploadUrl. */
  readonly path: string;
  /** Fixed from the start: a PUT does not move it. The fault `expired` does. */
  expiresAtMs: number;
  /** PUTs that have come, refused ones included. */
  puts: number;
  /** Bytes held. */
  received: number;
  hash: Hash;
  /** The bytes held, of a file that is short enough; else undefined. */
  readonly parts: Buffer[] | undefined;
  /** The store behind it does not know the item (yet), as a copy that lags behind. */
  isLost: boolean;
}

export interface SessionStore {
  open(
    session: Pick<UploadSession, 'item' | 'attachment' | 'expiresAtMs' | 'openedBy'>,
    place: SessionPlace,
  ): UploadSession;
  find(id: string): UploadSession | undefined;
  remove(id: string): void;
  reset(): void;
}

/** Gives the uploadUrl's path for a session id. */
export interface SessionPlace {
  readonly preauthenticated: boolean;
  path(id: string): string;
}

/** Drops the oldest when full, so that a long run does not grow. */
const MAX_SESSIONS = 20_000;

export function createSessionStore(): SessionStore {
  const sessions = new Map<string, UploadSession>();
  return {
    open(about, place) {
      const id = newExchangeId();
      const session: UploadSession = {
        ...about,
        id,
        authtoken: place.preauthenticated ? randomBytes(48).toString('base64url') : undefined,
        path: place.path(id),
        puts: 0,
        received: 0,
        hash: createHash('sha256'),
        parts: about.attachment.size <= MAX_KEPT_BYTES ? [] : undefined,
        isLost: false,
      };
      sessions.set(id, session);
      const oldest = sessions.keys().next();
      if (sessions.size > MAX_SESSIONS && !oldest.done) sessions.delete(oldest.value);
      return session;
    },
    find: (id) => sessions.get(id),
    remove: (id) => {
      sessions.delete(id);
    },
    reset: () => sessions.clear(),
  };
}
