/** How long the platform waits, in milliseconds. Tests shorten these; the defaults are what the platform does. */
export interface HostTimes {
  /** No minimum data rate applies to a body for this long (Kestrel: MinRequestBodyDataRate). */
  readonly bodyGraceMs: number;
  /** The pauses between the ten attempts to reach the worker (Azure Functions host: RetryProxyHandler). */
  readonly retryDelaysMs: readonly number[];
  /** The longest pause in a transfer between host and worker (Azure Functions host: DefaultHttpProxyService). */
  readonly inactivityMs: number;
  /** Without a 100 Continue, the host sends the body to the worker after this time (.NET: Expect100ContinueTimeout). */
  readonly continueWaitMs: number;
  /** From the timeout of an invocation to the end of its worker (WebJobs SDK: TimeoutAttribute). */
  readonly timeoutGraceMs: number;
  /** From one restart of a worker to the next (Azure Functions host: WorkerProcessCountOptions). */
  readonly restartWaitMs: number;
  /** How long calls under way may go on when the host closes; measured on SIGTERM. */
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
