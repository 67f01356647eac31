const { app } = require('@azure/functions');

app.setup({ enableHttpStream: true });

app.http('reader', {
  methods: ['PUT'],
  authLevel: 'function',
  route: '{*path}',
  handler: async (request) => {
    for await (const _chunk of request.body ?? []) {
      // It only reads.
    }
    return { status: 200, body: '{}' };
  },
});
