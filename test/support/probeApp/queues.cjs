const { setTimeout: delay } = require('node:timers/promises');
const { app } = require('@azure/functions');

// PROBE_QUEUE names a queue: a function for it, and one for its poison queue. Each says in the log what it was given.

let underWay = 0;
let most = 0;

async function work(entry) {
  underWay++;
  most = Math.max(most, underWay);
  try {
    await delay(entry.ms ?? 0);
    if (entry.do === 'crash') {
      process.exit(3);
    }
    if (entry.do === 'throw') {
      throw new Error('thrown by the probe');
    }
  } finally {
    underWay--;
  }
}

if (process.env.PROBE_QUEUE) {
  const connection = process.env.PROBE_CONNECTION ?? 'AzureWebJobsStorage';
  app.storageQueue('queued', {
    queueName: '%PROBE_QUEUE%',
    connection,
    handler: async (entry, context) => {
      console.log(`queued ${JSON.stringify({ entry, metadata: context.triggerMetadata, at: Date.now() })}`);
      await work(entry);
      console.log(`done, most at once: ${most}`);
    },
  });
  app.storageQueue('queuedPoison', {
    queueName: '%PROBE_QUEUE%-poison',
    connection,
    handler: async (entry) => {
      console.log(`poison ${JSON.stringify({ entry })}`);
      await work(entry.poison ?? {});
    },
  });
}
