import { generateKeyPair, type KeyObject, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { exportJWK, type JWK, SignJWT } from 'jose';

/** A signing key of a tenant; it publishes `jwk`. */
export interface SigningKey {
  readonly kid: string;
  readonly private: KeyObject;
  readonly public: KeyObject;
  readonly jwk: JWK;
}

export interface TokenSubject {
  readonly audience: string;
  /** Client id of the calling app: `azp` (v2) or `appid` (v1). */
  readonly appId: string;
  /** App permissions. */
  readonly roles?: readonly string[];
  /** Delegated permissions, separated by spaces; makes it a user's token. */
  readonly scp?: string;
  /** Object id of the user, or of the app's service principal. */
  readonly oid?: string;
}

/** Invalid tokens, and a large valid one. */
export const HOSTILE_TOKENS = {
  algNone: 'unsigned, alg "none"',
  hs256WithPublicKey: 'HS256, with the published public key as the secret',
  embeddedJwk: "signed with a stranger's key that the header itself carries",
  unknownKid: "signed with a stranger's key, under a key id that is not published",
  stolenKid: "signed with a stranger's key, under a key id that is published",
  badSignature: 'one bit of the signature changed',
  wrongIssuer: 'another issuer',
  wrongAudience: 'meant for another API',
  wrongTenant: 'the right issuer, another tenant in `tid`',
  expired: 'ended an hour ago',
  notYetValid: 'begins in an hour',
  oversized: '10 KiB of padding, else right',
} as const;

export type HostileToken = keyof typeof HOSTILE_TOKENS;

export interface IssueOptions {
  /** The access token version in the API's registration; default 2. */
  readonly version?: 1 | 2;
  /** Default 3600. */
  readonly lifetimeSeconds?: number;
  readonly hostile?: HostileToken;
  /** They override all others; undefined removes a claim. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface TokenContext {
  readonly tenantId: string;
  readonly issuers: { readonly v1: string; readonly v2: string };
  readonly key: SigningKey;
  readonly strangersKey: SigningKey;
  readonly nowSeconds: number;
}

const HOUR_SECONDS = 3600;

export async function createSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const kid = randomUUID().replaceAll('-', '');
  return {
    kid,
    private: privateKey,
    public: publicKey,
    jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' },
  };
}

/** Makes an access token as Entra does: learn.microsoft.com/entra/identity-platform/access-token-claims-reference. */
export async function makeToken(context: TokenContext, subject: TokenSubject, options: IssueOptions): Promise<string> {
  const { key, strangersKey } = context;
  const claims = {
    ...tokenClaims(context, subject, options),
    ...hostileClaims(context, options.hostile),
    ...options.claims,
  };
  const payload = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  const sign = (signingKey: SigningKey, header: Record<string, unknown>) =>
    new SignJWT(payload).setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...header }).sign(signingKey.private);
  switch (options.hostile) {
    case 'algNone':
      return `${encode({ alg: 'none', typ: 'JWT' })}.${encode(payload)}.`;
    case 'hs256WithPublicKey': {
      const secret = Buffer.from(key.public.export({ type: 'spki', format: 'pem' }));
      return new SignJWT(payload).setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: key.kid }).sign(secret);
    }
    case 'embeddedJwk':
      return sign(strangersKey, { kid: strangersKey.kid, jwk: strangersKey.jwk });
    case 'unknownKid':
      return sign(strangersKey, { kid: randomUUID() });
    case 'stolenKid':
      return sign(strangersKey, { kid: key.kid });
    case 'badSignature':
      return changeSignature(await sign(key, { kid: key.kid }));
    default:
      return sign(key, { kid: key.kid });
  }
}

function tokenClaims(context: TokenContext, subject: TokenSubject, options: IssueOptions): Record<string, unknown> {
  const { tenantId, issuers, nowSeconds } = context;
  const { version = 2, lifetimeSeconds = HOUR_SECONDS } = options;
  const oid = subject.oid ?? subject.appId;
  const byVersion =
    version === 1
      ? { iss: issuers.v1, appid: subject.appId, appidacr: '1', ver: '1.0' }
      : { iss: issuers.v2, azp: subject.appId, azpacr: '1', ver: '2.0' };
  return {
    aud: subject.audience,
    iat: nowSeconds,
    nbf: nowSeconds,
    exp: nowSeconds + lifetimeSeconds,
    oid,
    sub: oid,
    tid: tenantId,
    uti: randomUUID(),
    roles: subject.roles,
    scp: subject.scp,
    ...byVersion,
  };
}

function hostileClaims({ nowSeconds }: TokenContext, hostile: HostileToken | undefined): Record<string, unknown> {
  const otherTenant = randomUUID();
  const changes: Partial<Record<HostileToken, Record<string, unknown>>> = {
    wrongIssuer: { iss: `https://login.microsoftonline.com/${otherTenant}/v2.0` },
    wrongAudience: { aud: randomUUID() },
    wrongTenant: { tid: otherTenant },
    expired: { iat: nowSeconds - 2 * HOUR_SECONDS, nbf: nowSeconds - 2 * HOUR_SECONDS, exp: nowSeconds - HOUR_SECONDS },
    notYetValid: { nbf: nowSeconds + HOUR_SECONDS, exp: nowSeconds + 2 * HOUR_SECONDS },
    oversized: { padding: 'x'.repeat(10_240) },
  };
  return (hostile && changes[hostile]) ?? {};
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function changeSignature(token: string): string {
  const at = token.lastIndexOf('.') + 1;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}
