export type StepResult =
  | { readonly kind: 'passed'; readonly detail?: string }
  | { readonly kind: 'skipped'; readonly why: string };

export const PASSED: StepResult = { kind: 'passed' };

/** What to do where the proxy does not know the caller. */
export const CREDENTIALS = 'pass --key or --token, or the one that is right';
