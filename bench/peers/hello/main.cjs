const { app } = require('@azure/functions');

app.setup({ enableHttpStream: true });

app.http('hello', {
  methods: ['POST'],
  authLevel: 'function',
  route: '{*path}',
  handler: async () => ({ body: 'Hello, world!' }),
});
