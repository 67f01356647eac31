const { subscribe } = require('node:diagnostics_channel');
const { setTimeout: delay } = require('node:timers/promises');
const { app } = require('@azure/functions');

// How an app meets requests and bodies in streaming mode. Each handler says in the log what it saw.

/** What the worker's own server received, by invocation id. */
const received = new Map();

subscribe('http.server.request.start', ({ request, response, server }) => {
  const id = request.headers['x-ms-invocation-id'];
  if (received.has(id)) {
    console.log('received again');
  }
  received.set(id, { request, response });
  if (process.env.PROBE_RESET === '1') {
    setTimeout(() => request.socket.resetAndDestroy(), 20);
  }
  if (process.env.PROBE_REFUSE_EXPECT === '1' && server.listenerCount('checkContinue') === 0) {
    // A request that waits for `100 Continue` reaches its handler without it.
    server.on('checkContinue', (waiting, answer) => server.emit('request', waiting, answer));
  }
});

function on(name, handler) {
  app.http(name, {
    authLevel: 'anonymous',
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'],
    handler: (request, context) => {
      context.log(`${name} is called`);
      return handler(request, context, received.get(context.invocationId));
    },
  });
}

async function readAll(request) {
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
  }
  return length;
}

on('raw', async (request, _context, { request: raw }) => ({
  jsonBody: {
    method: request.method,
    params: request.params,
    headers: Object.fromEntries(request.headers),
    raw: raw.headers,
    bodyLength: await readAll(request),
  },
}));

on('untouched', () => ({ status: 415, body: 'no' }));

on('releases', async (request) => {
  const reader = request.body.getReader();
  await reader.read();
  reader.releaseLock();
  return { status: 415, body: 'no' };
});

on('cancels', async (request) => {
  const reader = request.body.getReader();
  await reader.read();
  await reader.cancel();
  return { status: 415, body: 'no' };
});

on('drains', (request, context) => {
  readAll(request).then(
    (length) => context.log(`drained ${length}`),
    (error) => context.log(`drained up to ${error.message}`),
  );
  return { status: 415, body: 'no' };
});

on('reads', async (request, context) => {
  await delay(Number(request.query.get('after') ?? 0));
  try {
    return { body: String(await readAll(request)) };
  } catch (error) {
    context.log(`reading failed: ${error.message} ${error.code}`);
    return { body: 'broken' };
  }
});

on('counts', async (request, context) => {
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.length;
    context.log(`counted ${length} bytes`);
  }
  return { body: 'counted' };
});

on('resets', async (_request, _context, { request: raw }) => {
  raw.socket.resetAndDestroy();
  return { body: 'never seen' };
});

on('waits', async (request, context, { request: raw, response }) => {
  raw.on('aborted', () => context.log('request aborted'));
  raw.on('error', ({ code }) => context.log(`request error ${code}`));
  response.on('close', () => context.log(`response closed, finished: ${response.writableFinished}`));
  await readAll(request);
  await delay(Number(request.query.get('ms')));
  context.log('waits is done');
  return { body: 'waited' };
});

on('drips', (request, context, { response }) => {
  response.on('close', () => context.log('response closed'));
  async function* drops() {
    for (let drop = 0; drop < Number(request.query.get('drops')); drop++) {
      yield Buffer.from('.');
      await delay(Number(request.query.get('ms')));
    }
    context.log('drips is done');
  }
  return { body: ReadableStream.from(drops()) };
});

on('says', (request) => ({
  status: Number(request.query.get('status') ?? 200),
  headers: JSON.parse(request.query.get('with') ?? '{}'),
  body: request.query.get('body') ?? 'said',
}));

on('fails', async (request) => {
  await delay(Number(request.query.get('after') ?? 0));
  throw new Error('thrown by the probe');
});

// Answers without the library, which then has nothing to send it with.
on('behind', async (request, _context, { response }) => {
  response.writeHead(400, request.query.has('declared') ? { 'Content-Length': '4' } : {}).write('said');
  await delay(100);
  response.end();
  throw new Error('answered behind the library');
});
