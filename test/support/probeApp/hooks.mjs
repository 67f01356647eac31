import { app } from '@azure/functions';

// An ES module next to a CommonJS one: both must reach the same runtime.

app.hook.appStart((context) => {
  context.hookData.seen = true;
  console.log('appStart hook ran');
});

app.hook.appTerminate(() => console.log('appTerminate hook ran'));

app.hook.log((context) => {
  context.message = context.message.replace('secret word', '***');
});

app.http('hooked', { authLevel: 'anonymous', handler: () => ({ body: 'the handler' }) });

app.hook.preInvocation((context) => {
  if (context.invocationContext.functionName !== 'hooked') {
    return;
  }
  context.hookData.order = ['first'];
  const original = context.functionHandler;
  const [request] = context.inputs;
  context.inputs = ['swapped input'];
  context.functionHandler = async (input, invocation) => {
    const { body } = await original(input, invocation);
    return { jsonBody: { input, body, path: new URL(request.url).pathname, order: context.hookData.order } };
  };
});

app.hook.preInvocation((context) => {
  context.hookData.order?.push('second');
});

app.hook.postInvocation((context) => {
  if (context.invocationContext.functionName === 'hooked') {
    context.result.headers = { 'x-post-hook': context.hookData.order.join(',') };
  }
});

// The repair of the streaming trap, when PROBE_REPAIR=1.
if (process.env.PROBE_REPAIR === '1') {
  app.hook.postInvocation((context) => {
    if (context.error) {
      context.invocationContext.error(`repaired: ${context.error.message}`);
      context.error = null;
      context.result = { status: 500, jsonBody: { repaired: true } };
    } else if (context.result === undefined) {
      context.result = { status: 204 };
    }
  });
}
