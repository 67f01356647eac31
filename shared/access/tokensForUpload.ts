import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import type { TokenSource } from '../tokens/tokenSource.ts';
import type { UploadRecord } from '../uploads/uploadRecord.ts';
import type { AuthenticatedCaller } from './caller.ts';
import type { ActsAs } from './policy.ts';
import { tokensFor } from './tokensFor.ts';

/**
 * Whose tokens Graph sees when a request goes on with an upload. The record of one that acts for a user holds no token: the
 * user's comes with the request. It is looked at when Graph is to be asked, and not before, since Outlook's own upload host
 * takes bytes without one.
 */
export function tokensForUpload(
  { actsFor }: Pick<UploadRecord, 'actsFor'>,
  { request }: RequestContext,
  dependencies: Pick<Dependencies, 'authenticator' | 'appTokens' | 'userTokens'>,
): TokenSource {
  if (actsFor === undefined) return dependencies.appTokens;
  let users: TokenSource | undefined;
  return {
    async acquire(deadline) {
      users ??= await usersTokens(actsFor, request.headers.get('authorization'), deadline.signal, dependencies);
      return users.acquire(deadline);
    },
    invalidate: (token, claims) => users?.invalidate(token, claims),
  };
}

/** What an upload's record keeps of the user for whom it acts. */
export function actsForOf(actsAs: ActsAs, caller: AuthenticatedCaller): Pick<UploadRecord, 'actsFor'> {
  if (actsAs === 'app' || caller.kind !== 'delegated') return {};
  return { actsFor: { userId: caller.userId, appId: caller.appId } };
}

/** @throws ServiceError InvalidAuthenticationToken, CallerNotAllowed, SigningKeysUnavailable, or the signal's reason */
async function usersTokens(
  actsFor: NonNullable<UploadRecord['actsFor']>,
  authorization: string | null,
  signal: AbortSignal,
  dependencies: Pick<Dependencies, 'authenticator' | 'appTokens' | 'userTokens'>,
): Promise<TokenSource> {
  const caller = await dependencies.authenticator.authenticate(authorization, signal);
  if (caller.kind !== 'delegated' || caller.userId !== actsFor.userId || caller.appId !== actsFor.appId) {
    throw new ServiceError(
      'CallerNotAllowed',
      'The access token is not of the user and the application that began this upload.',
    );
  }
  return tokensFor('user', caller, dependencies);
}
