/**
 * In CI the app, its host and every emulator share two cores: a test whose times were missed is tried once more. The first
 * failure is printed, and a second one fails the run.
 */
if (process.env['CI'] === 'true') jest.retryTimes(1, { logErrorsBeforeRetry: true });
