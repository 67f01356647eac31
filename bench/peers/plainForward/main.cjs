const https = require('node:https');
const { app } = require('@azure/functions');

app.setup({ enableHttpStream: true });

const agent = new https.Agent({ keepAlive: true });
const graph = new URL(process.env.GRAPH_BASE_URL);

function post(path, json) {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: 'Bearer fixed-token',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(json),
    };
    const options = { agent, method: 'POST', hostname: graph.hostname, port: graph.port, path, headers };
    const request = https.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString('utf8') }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(json);
  });
}

app.http('plainForward', {
  methods: ['POST'],
  authLevel: 'function',
  route: '{*path}',
  handler: async (request) => {
    const attachment = await request.json();
    const { status, body } = await post(`/${request.params.path}`, JSON.stringify(attachment));
    return { status, headers: { 'content-type': 'application/json' }, body };
  },
});
