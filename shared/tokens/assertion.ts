import { isObject } from '../common/isObject.ts';

/** What a user's token says about itself, as far as the exchange needs it. */
export interface AssertionFacts {
  /** Milliseconds since the epoch. */
  readonly endsAtMs: number;
  /** The caller's client can handle a claims challenge (learn.microsoft.com/entra/identity-platform/claims-challenge). */
  readonly takesChallenges: boolean;
}

/** Reads a token that has been verified already; it checks nothing. One that cannot be read has ended. */
export function readAssertion(assertion: string): AssertionFacts {
  const claims = decodePayload(assertion);
  const capabilities = claims['xms_cc'];
  const end = claims['exp'];
  return {
    endsAtMs: typeof end === 'number' ? end * 1000 : 0,
    takesChallenges: Array.isArray(capabilities) ? capabilities.includes('cp1') : capabilities === 'cp1',
  };
}

function decodePayload(token: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return isObject(claims) ? claims : {};
  } catch {
    return {};
  }
}
