import type { ItemKind } from './entityModel.ts';

export type GraphVersion = 'v1.0' | 'beta';

/** Whose item it is, as the caller named it. `me` has no mailbox yet: authorize.ts gives it one. */
export type TargetOwner =
  | { readonly kind: 'me' }
  | { readonly kind: 'mailbox'; readonly id: string }
  | { readonly kind: 'group'; readonly id: string };

/** An owner that Graph knows for an app. */
export type ResolvedOwner = Exclude<TargetOwner, { kind: 'me' }>;

/** The item that gets the attachment. Only parsePath.ts makes one: its ids are decoded and safe to encode. */
export interface Target {
  readonly kind: ItemKind;
  readonly version: GraphVersion;
  readonly owner: TargetOwner;
  /** The encoded path from below the owner to before `attachments`, such as `messages/AAMk%3D`. */
  readonly itemPath: string;
}

/** What is asked of the item: Graph's action, or a POST to the collection itself. */
export type PathAction = 'createUploadSession' | 'attach';

/** A whole path. */
export interface GraphPath extends Target {
  readonly action: PathAction;
}

/** The app-only path at Graph, without version: `/users/{id}/messages/{id}/attachments`, and what follows there. */
export function upstreamPath(target: Target, owner: ResolvedOwner, below?: string): string {
  const root = owner.kind === 'group' ? 'groups' : 'users';
  const attachments = `/${root}/${encodeURIComponent(owner.id)}/${target.itemPath}/attachments`;
  return below === undefined ? attachments : `${attachments}/${below}`;
}
