/** One exchange with the worker: it ends when nothing moves for too long, or when the caller goes away. */
export interface Activity {
  readonly signal: AbortSignal;
  /** Something has moved, in either direction. */
  touch(): void;
  stop(): void;
}

export function watchActivity(inactivityMs: number, callerGone: AbortSignal): Activity {
  const inactive = new AbortController();
  const timer = setTimeout(() => inactive.abort(new Error(`Nothing moved for ${inactivityMs} ms.`)), inactivityMs);
  return {
    signal: AbortSignal.any([inactive.signal, callerGone]),
    touch: () => void timer.refresh(),
    stop: () => clearTimeout(timer),
  };
}
