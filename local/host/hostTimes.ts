/** How long the platform waits, in milliseconds. Tests shorten these; the defaults are what the platform does. */
export interface HostTimes {
  /** A body may be as slow as it likes for this long (Kestrel: MinRequestBodyDataRate). */
  readonly bodyGraceMs: number;
  /** The pauses between the ten attempts to reach the worker (Azure Functions host: RetryProxyHandler). */
  readonly retryDelaysMs: readonly number[];
  /** Nothing may stand still between host and worker for longer (Azure Functions host: DefaultHttpProxyService). */
  readonly inactivityMs: number;
  /** A worker that does not say 100 Continue is sent the body all the same (.NET: Expect100ContinueTimeout). */
  readonly continueWaitMs: number;
  /** What an invocation past its time is left before its worker is ended (WebJobs SDK: TimeoutAttribute). */
  readonly timeoutGraceMs: number;
  /** From one restart of a worker to the next (Azure Functions host: WorkerProcessCountOptions). */
  readonly restartWaitMs: number;
  /** What calls under way are left when the host closes; measured on SIGTERM. */
  readonly closeGraceMs: number;
}

export const PLATFORM_TIMES: HostTimes = {
  bodyGraceMs: 5_000,
  retryDelaysMs: [50, 100, 200, 250, 250, 250, 250, 250, 250],
  inactivityMs: 240_000,
  continueWaitMs: 1_000,
  timeoutGraceMs: 2_000,
  restartWaitMs: 10_000,
  closeGraceMs: 10_000,
};
