const { once } = require('node:events');
const https = require('node:https');
const { app } = require('@azure/functions');

app.setup({ enableHttpStream: true });

const agent = new https.Agent({ keepAlive: true });
const graph = new URL(process.env.GRAPH_BASE_URL);

app.http('pipe', {
  methods: ['PUT'],
  authLevel: 'function',
  route: '{*path}',
  handler: async (request) => {
    const range = request.headers.get('content-range');
    const [, first, last] = /bytes (\d+)-(\d+)\//.exec(range);
    const headers = { 'content-range': range, 'content-length': Number(last) - Number(first) + 1 };
    const path = `/${request.params.path}`;
    const outgoing = https.request({ agent, method: 'PUT', hostname: graph.hostname, port: graph.port, path, headers });
    const answered = new Promise((resolve, reject) => {
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString('utf8') }),
        );
        response.on('error', reject);
      });
    });
    for await (const chunk of request.body) {
      // An answer that comes with the last bytes keeps the drain from being told.
      if (!outgoing.write(chunk)) await Promise.race([once(outgoing, 'drain'), answered]);
    }
    outgoing.end();
    return answered;
  },
});
