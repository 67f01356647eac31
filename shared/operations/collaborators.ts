import type { Authenticator } from '../caller/caller.ts';
import type { Policy } from '../caller/policy.ts';
import type { Config } from '../config/config.ts';
import type { Forwarder } from '../graph/forwarder.ts';

/** What the operations work with; service.ts builds it once. */
export interface Collaborators {
  readonly config: Config;
  readonly authenticator: Authenticator;
  readonly policy: Policy;
  /** Loaded when the first request needs it. */
  readonly forwarder: () => Promise<Forwarder>;
}
