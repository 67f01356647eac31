import type { ItemKind } from './entityModel.ts';

export type GraphVersion = 'v1.0' | 'beta';

/** Whose item it is, as the caller named it. `me` has no mailbox yet: authorize.ts says whose it is. */
export type TargetOwner =
  | { readonly kind: 'me' }
  | { readonly kind: 'mailbox'; readonly id: string }
  | { readonly kind: 'group'; readonly id: string };

/** Whose item it is, as Graph is asked. */
export type ResolvedOwner =
  | { readonly kind: 'mailbox'; readonly id: string }
  | { readonly kind: 'group'; readonly id: string }
  /** With a user's own token alone, for Graph has no `me` for an app; `id` is the user's object id. */
  | { readonly kind: 'me'; readonly id: string };

/** The item that gets the attachment. Only parsePath.ts makes one: its ids are decoded and safe to encode. */
export interface Target {
  readonly kind: ItemKind;
  readonly version: GraphVersion;
  readonly owner: TargetOwner;
  /** The encoded path from below the owner to before `attachments`, such as `messages/AAMk%3D`. */
  readonly itemPath: string;
}

/** The item as requests to Graph name it. */
export interface ItemTarget extends Omit<Target, 'owner'> {
  readonly owner: ResolvedOwner;
}

/** A whole path. */
export interface GraphPath extends Target {
  /** What follows the item, as the table of routes has it. */
  readonly suffix: string;
  /** The ids in it, by the table's names; decoded and safe to encode. */
  readonly ids: Readonly<Record<string, string>>;
}

/** The path at Graph, without version: `/users/{id}/messages/{id}/attachments`, and what follows there. */
export function graphPath(target: Pick<Target, 'itemPath'>, owner: ResolvedOwner, below?: string): string {
  const attachments = `${ownerPath(owner)}/${target.itemPath}/attachments`;
  return below === undefined ? attachments : `${attachments}/${below}`;
}

function ownerPath(owner: ResolvedOwner): string {
  if (owner.kind === 'me') return '/me';
  return `/${keySegment(owner.kind === 'group' ? 'groups' : 'users', owner.id)}`;
}

/**
 * `name/key`, or `name('key')` if the key begins with `$`: Graph refuses such a key after a slash, where OData has its own
 * names with `$` (learn.microsoft.com/graph/api/user-get). Within the quotes a quote is doubled.
 */
export function keySegment(name: string, key: string): string {
  if (!key.startsWith('$')) return `${name}/${encodeURIComponent(key)}`;
  return `${name}('${encodeURIComponent(key.replaceAll("'", "''")).replaceAll('%24', '$')}')`;
}
