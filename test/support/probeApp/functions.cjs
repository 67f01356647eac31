const { createHash } = require('node:crypto');
const { app } = require('@azure/functions');

// PROBE_STREAM=1 turns HTTP streaming on, PROBE_CATCH_ALL names the function that owns every other path.
app.setup({ enableHttpStream: process.env.PROBE_STREAM === '1' });

/** Answers with what the app sees of a request. */
async function echo(request, context) {
  const body = Buffer.from(await request.arrayBuffer());
  return {
    jsonBody: {
      functionName: context.functionName,
      method: request.method,
      url: request.url,
      params: request.params,
      query: [...request.query],
      headers: Object.fromEntries(request.headers),
      bodyLength: body.length,
      bodyHash: createHash('sha256').update(body).digest('hex'),
      traceParent: context.traceContext?.traceParent,
    },
  };
}

async function* ticks() {
  for (let tick = 0; tick < 5; tick++) {
    yield new TextEncoder().encode('tick\n');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const anonymous = { authLevel: 'anonymous', handler: echo };

app.http('hello', { ...anonymous });
app.http('head', { ...anonymous, methods: ['GET', 'HEAD'], route: 'head' });
app.http('msg', { ...anonymous, route: 'msg/{id}' });
app.http('locked', { authLevel: 'function', methods: ['GET'], route: 'locked', handler: echo });
app.http('version', { ...anonymous, route: '{version:regex(^v1.0$)}/version' });
app.http('number', { ...anonymous, route: 'number/{n:int}' });
app.http('letters', { ...anonymous, route: 'letters/{word:alpha}/{size:length(2,3)}' });
app.http('maybe', { ...anonymous, route: 'maybe/{id?}' });
app.http('rest', { ...anonymous, route: 'rest/{*path}' });
app.http('onlyGet', { ...anonymous, methods: ['GET'], route: 'shared/one' });
app.http('zShared', { ...anonymous, methods: ['GET', 'PUT'], route: 'shared/{*path}' });

if (process.env.PROBE_CATCH_ALL) {
  app.http(process.env.PROBE_CATCH_ALL, { ...anonymous, route: '{*path}' });
}

app.http('throws', {
  authLevel: 'anonymous',
  handler: () => {
    throw new Error('thrown by the probe');
  },
});
app.http('nothing', { authLevel: 'anonymous', handler: () => undefined });
app.http('crash', { authLevel: 'anonymous', handler: () => process.exit(3) });
app.http('early', { authLevel: 'anonymous', methods: ['POST'], handler: () => ({ status: 413, body: 'too long' }) });
app.http('slow', {
  authLevel: 'anonymous',
  handler: async (_request, context) => {
    context.log('slow is called');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    context.log('slow is done');
    return { body: 'slow' };
  },
});
app.http('headers', {
  authLevel: 'anonymous',
  handler: () => ({
    status: 201,
    headers: { 'x-probe': 'yes', connection: 'x-listed', 'x-listed': 'dropped', 'content-type': 'text/x-probe' },
    body: 'made',
  }),
});
app.http('ticks', {
  authLevel: 'anonymous',
  handler: () => ({ body: ReadableStream.from(ticks()) }),
});
app.http('reader', {
  authLevel: 'anonymous',
  handler: async (request, context) => {
    context.log('reader is called');
    try {
      await request.arrayBuffer();
    } catch (error) {
      context.warn(`the body broke off: ${error.message}`);
    }
    return { body: 'read' };
  },
});
app.http('logs', {
  authLevel: 'anonymous',
  handler: (_request, context) => {
    context.warn('a warning', { of: 'two parts' });
    context.debug('secret word');
    console.log('to stdout');
    console.error('to stderr');
    return { body: 'logged' };
  },
});
app.http('settings', {
  authLevel: 'anonymous',
  handler: () => ({
    jsonBody: Object.fromEntries(
      Object.entries(process.env).filter(([name]) =>
        /^(PROBE_|AZURE_FUNCTIONS_ENVIRONMENT|WEBSITE_HOSTNAME)/.test(name),
      ),
    ),
  }),
});
app.http('late', {
  authLevel: 'anonymous',
  handler: () => {
    try {
      app.http('tooLate', anonymous);
      return { body: 'registered' };
    } catch (error) {
      return { body: error.message };
    }
  },
});
app.timer('timer', { schedule: '0 0 0 1 1 *', handler: () => undefined });
