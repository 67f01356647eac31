import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { readQueueOptions } from '../../local/host/hostJson.ts';
import type { HostTimes } from '../../local/host/hostTimes.ts';
import { createPollingDelay } from '../../local/host/queues/queueListener.ts';
import { describeFunctions } from '../../local/host/startHost.ts';
import { sendRaw } from '../support/probeApp/sendRaw.ts';
import { type Probe, startProbe } from '../support/probeApp/startProbe.ts';
import { until } from '../support/until.ts';

// Queue-triggered functions as measured on host 4.1037 with Storage.Queues 5.3.10, against a real queue service.

let storage: Azurite;

beforeAll(async () => {
  storage = await startAzurite();
});
afterAll(() => storage.stop());

/** What the handler was given. */
interface Delivery {
  readonly entry: unknown;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly at: number;
}

interface QueueProbe extends Probe {
  readonly queue: QueueClient;
  readonly poison: QueueClient;
  /** As callers of the default encoding do it. */
  send(value: unknown): Promise<void>;
  deliveries(): readonly Delivery[];
  /** Waits for that many. */
  delivered(count: number): Promise<readonly Delivery[]>;
}

const QUEUES = 'AzureFunctionsJobHost__extensions__queues__';
/** When the queue would give out again what a host that is gone has taken. */
const LEFT_TO_ITSELF_MS = 600_000;

async function withQueue(
  env: Readonly<Record<string, string>>,
  use: (probe: QueueProbe) => Promise<void>,
  times: Partial<HostTimes> = {},
): Promise<void> {
  const name = `probe-${randomUUID()}`;
  const service = QueueServiceClient.fromConnectionString(storage.connectionString);
  const queue = service.getQueueClient(name);
  await queue.create();
  const probe = await startProbe(
    { PROBE_QUEUE: name, AzureWebJobsStorage: storage.connectionString, ...env },
    { times: { closeGraceMs: 2_000, ...times } },
  );
  const deliveries = (): Delivery[] =>
    probe.lines.flatMap(({ message }) => (message.startsWith('queued {') ? [JSON.parse(message.slice(7))] : []));
  try {
    await use(
      Object.assign(probe, {
        queue,
        poison: service.getQueueClient(`${name}-poison`),
        async send(value: unknown) {
          await queue.sendMessage(Buffer.from(JSON.stringify(value)).toString('base64'));
        },
        deliveries,
        delivered: (count: number) =>
          until(`${count} deliveries`, () => (deliveries().length >= count ? deliveries() : undefined)),
      }),
    );
  } finally {
    await probe.close();
  }
}

async function isEmpty(queue: QueueClient): Promise<boolean> {
  const { approximateMessagesCount } = await queue.getProperties();
  return approximateMessagesCount === 0;
}

async function empties(queue: QueueClient): Promise<void> {
  await until('an empty queue', () => isEmpty(queue), 20);
}

describe('a message of the default encoding', () => {
  it.each<[string, string, unknown]>([
    ['an object', '{"a":{"b":[1]}}', { a: { b: [1] } }],
    ['an array', '[1,"x"]', [1, 'x']],
    ['a number', '12', 12],
    ['any other text', 'plain ä text', 'plain ä text'],
  ])('reaches the handler as %s, and is deleted', async (_, text, entry) => {
    await withQueue({}, async (probe) => {
      await probe.queue.sendMessage(Buffer.from(text).toString('base64'));

      const [delivery] = await probe.delivered(1);

      expect(delivery?.entry).toEqual(entry);
      await empties(probe.queue);
    });
  });

  it('comes with what the trigger knows of it', async () => {
    await withQueue({}, async (probe) => {
      const sent = await probe.queue.sendMessage(Buffer.from('text').toString('base64'));

      const [delivery] = await probe.delivered(1);

      const aTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
      expect(delivery?.metadata).toEqual({
        queueTrigger: 'text',
        id: sent.messageId,
        dequeueCount: 1,
        popReceipt: expect.any(String),
        insertionTime: aTime,
        expirationTime: aTime,
        nextVisibleTime: aTime,
      });
    });
  });

  it('replaces what the trigger knows by members of its own', async () => {
    await withQueue({}, async (probe) => {
      await probe.send({ id: 'forged', DequeueCount: 99, list: [1], more: { a: 1 } });

      const [delivery] = await probe.delivered(1);

      expect(delivery?.metadata).toMatchObject({ id: 'forged', dequeueCount: 99, more: { a: 1 } });
      expect(delivery?.metadata).not.toHaveProperty('list');
    });
  });

  it.each([
    ['is not base64', 'no base64!'],
    ['is not UTF-8', Buffer.from([0x66, 0xff, 0xfe]).toString('base64')],
  ])('goes to the poison queue where it %s, and its handler is not called', async (_, text) => {
    await withQueue({ PROBE_CONNECTION: 'AzureWebJobsStorage' }, async (probe) => {
      await probe.queue.sendMessage(text);

      await empties(probe.queue);
      await probe.findLine('Moving message to queue');
      expect(probe.deliveries()).toEqual([]);
      expect(probe.countLines('poison {')).toBe(0); // The poison queue's function cannot read it either.
      const { peekedMessageItems } = await probe.poison.peekMessages();
      expect(peekedMessageItems).toEqual([]); // It is invisible there, for ten minutes.
      expect(await isEmpty(probe.poison)).toBe(false);
    });
  });
});

describe('a message of the encoding "none"', () => {
  it.each<[string, string, unknown]>([
    ['JSON', '{"a":1}', { a: 1 }],
    ['text', 'plain', 'plain'],
    ['base64, left as it is', 'eyJhIjoxfQ==', 'eyJhIjoxfQ=='],
  ])('reaches the handler as %s', async (_, text, entry) => {
    await withQueue({ [`${QUEUES}messageEncoding`]: 'none' }, async (probe) => {
      await probe.queue.sendMessage(text);

      expect((await probe.delivered(1))[0]?.entry).toEqual(entry);
    });
  });
});

describe('a message whose handler throws', () => {
  it('is delivered five times at once, then moved to the poison queue, whose function gets it', async () => {
    await withQueue({}, async (probe) => {
      await probe.send({ do: 'throw' });

      await probe.findLine('poison {"entry":{"do":"throw"}}');

      const deliveries = probe.deliveries();
      expect(deliveries.map(({ metadata }) => metadata['dequeueCount'])).toEqual([1, 2, 3, 4, 5]);
      expect(probe.countLines("Executed 'Functions.queued' (Failed")).toBe(5);
      await empties(probe.poison);
      expect(await isEmpty(probe.queue)).toBe(true);
    });
  });

  it('rests between deliveries, and is moved after as many as host.json says', async () => {
    const env = { [`${QUEUES}visibilityTimeout`]: '00:00:01', [`${QUEUES}maxDequeueCount`]: '2' };
    await withQueue(env, async (probe) => {
      await probe.send({ do: 'throw' });
      await probe.findLine('queued {');

      await until('poison {', () => probe.countLines('poison {') > 0);

      const [first, second, ...others] = probe.deliveries();
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(900);
      expect(others).toEqual([]);
    });
  });

  it('stays invisible where the queue is one of poison', async () => {
    await withQueue({}, async (probe) => {
      await probe.send({ do: 'throw', poison: { do: 'throw' } });

      await until(
        "Executed 'Functions.queuedPoison' (Failed",
        () => probe.countLines("Executed 'Functions.queuedPoison' (Failed") > 0,
      );
      await delay(300);

      expect(probe.countLines('poison {')).toBe(1);
      expect(await isEmpty(probe.poison)).toBe(false);
      expect((await probe.poison.peekMessages()).peekedMessageItems).toEqual([]);
    });
  });
});

describe('many messages', () => {
  it.each([
    ['1', '0', 1],
    ['4', '2', 4],
  ])('are worked on in batches of %s, with a threshold of %s', async (batchSize, newBatchThreshold, most) => {
    const env = { [`${QUEUES}batchSize`]: batchSize, [`${QUEUES}newBatchThreshold`]: newBatchThreshold };
    await withQueue(env, async (probe) => {
      await Promise.all(Array.from({ length: 8 }, () => probe.send({ ms: 300 })));

      await until('done, most', () => probe.countLines('done, most') === 8);

      expect(probe.countLines(`most at once: ${most}`)).toBeGreaterThan(0);
      expect(probe.countLines(`most at once: ${most + 1}`)).toBe(0);
      await empties(probe.queue);
    });
  });

  it('have the defaults of the platform', () => {
    const nothing = () => undefined;

    expect(readQueueOptions(nothing, false)).toMatchObject({
      batchSize: 16,
      maxDequeueCount: 5,
      visibilityTimeoutMs: 0,
      maxPollingIntervalMs: 60_000,
      messageEncoding: 'base64',
    });
    expect(readQueueOptions(nothing, true)).toMatchObject({ maxPollingIntervalMs: 2_000 });
    expect(() => readQueueOptions((name) => (name === 'batchSize' ? 33 : undefined), true)).toThrow('from 1 to 32');
  });
});

describe('a queue that has nothing', () => {
  it('is asked after 100 ms, and then more and more seldom', () => {
    const nextDelay = createPollingDelay(1_000);

    const delays = [true, false, false, false, false, false, true].map(nextDelay);

    expect(delays[0]).toBe(100);
    expect(delays[1]).toBeGreaterThanOrEqual(180);
    expect(delays[2]).toBeGreaterThanOrEqual(260);
    expect(delays[3]).toBeGreaterThanOrEqual(420);
    expect(delays.slice(4)).toEqual([expect.any(Number), 1_000, 100]);
  });

  it('is asked as often as host.json says at least', () => {
    const find = (name: string) => (name === 'maxPollingInterval' ? '00:00:00.2' : undefined);

    expect(readQueueOptions(find, false)).toMatchObject({ maxPollingIntervalMs: 200 });
  });

  it('may be missing, and come later', async () => {
    await withQueue({}, async (probe) => {
      await probe.queue.delete();
      await delay(300);
      await until('a new queue', async () => (await probe.queue.createIfNotExists()).succeeded);
      await probe.send({ late: true });

      expect((await probe.delivered(1))[0]?.entry).toEqual({ late: true });
      expect(probe.lines.filter(({ level, category }) => level === 'error' && category === 'host')).toEqual([]);
    });
  });
});

describe('a message whose worker dies', () => {
  it('is delivered again by the new worker, at once', async () => {
    await withQueue({}, async (probe) => {
      await probe.send({ ms: 600 });
      await probe.delivered(1);
      process.kill(probe.workerPid, 'SIGKILL');

      const [first, second] = await probe.delivered(2);

      expect(second?.metadata['dequeueCount']).toBe(2);
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThan(LEFT_TO_ITSELF_MS);
      await probe.findLine('done, most');
      await empties(probe.queue);
    });
  });

  it('ends in the poison queue where it is the cause', async () => {
    await withQueue(
      {},
      async (probe) => {
        await probe.send({ do: 'crash' });

        await until('poison {"entry":{"do":"crash"}}', () => probe.countLines('poison {"entry":{"do":"crash"}}') > 0);

        expect(probe.deliveries()).toHaveLength(5);
      },
      { restartWaitMs: 50 },
    );
  });
});

describe('a message whose handler takes too long', () => {
  it('is given back when the function’s time is over', async () => {
    const env = { AzureFunctionsJobHost__functionTimeout: '00:00:01', [`${QUEUES}maxDequeueCount`]: '2' };
    await withQueue(
      env,
      async (probe) => {
        await probe.send({ ms: 60_000 });

        await until('poison {', () => probe.countLines('poison {') > 0);

        expect(probe.deliveries()).toHaveLength(2);
        expect(probe.countLines('Timeout value of 1000 ms was exceeded')).toBeGreaterThanOrEqual(2);
      },
      { timeoutGraceMs: 100, restartWaitMs: 100 },
    );
  });
});

describe('a host that closes', () => {
  it('lets a handler under way end, and leaves a message invisible whose handler does not', async () => {
    let queue: QueueClient | undefined;
    await withQueue({}, async (probe) => {
      queue = probe.queue;
      await probe.send({ ms: 1_000 });
      await probe.send({ ms: 60_000 });
      await probe.delivered(2);

      await probe.close();

      expect(probe.countLines('done, most')).toBe(1);
    });

    const { approximateMessagesCount } = (await queue?.getProperties()) ?? {};
    expect(approximateMessagesCount).toBe(1);
    expect((await queue?.receiveMessages())?.receivedMessageItems).toEqual([]);
  });
});

describe('an account', () => {
  it('may be named by a setting of its own', async () => {
    const env = { AzureWebJobsStorage: '', PROBE_CONNECTION: 'OWN', OWN: storage.connectionString };
    await withQueue(env, async (probe) => {
      await probe.send({ own: true });

      expect((await probe.delivered(1))[0]?.entry).toEqual({ own: true });
      expect(describeFunctions(probe)).toContain('queued: queueTrigger');
    });
  });

  it.each<[string, Record<string, string>, string]>([
    ['is missing', { AzureWebJobsStorage: '' }, 'there is no setting for its connection'],
    [
      'wants an identity',
      { AzureWebJobsStorage: '', AzureWebJobsStorage__queueServiceUri: 'https://account.test' },
      'its connection wants an identity',
    ],
  ])('that %s leaves the function silent; HTTP runs', async (_, env, fault) => {
    await withQueue(env, async (probe) => {
      expect(await probe.findLine(`queued does not run: ${fault}`)).toMatchObject({ level: 'warning' });
      expect(probe.queueFunctions).toEqual([]);
      expect(await sendRaw(probe.url, { target: '/api/hello' })).toMatchObject({ status: 200 });
    });
  });

  it('that goes away and comes back is found again', async () => {
    await withQueue({}, async (probe) => {
      await probe.send({ n: 1 });
      await probe.delivered(1);
      await empties(probe.queue);
      await storage.restart();
      await probe.queue.createIfNotExists();
      await probe.send({ n: 2 });

      expect((await probe.delivered(2))[1]?.entry).toEqual({ n: 2 });
    });
  });

  it('is of no use without an extension that has the trigger', async () => {
    const appRoot = `${import.meta.dirname}/../support/probeApp/noPrefix`;
    const probe = await startProbe({ PROBE_QUEUE: 'any', AzureWebJobsStorage: storage.connectionString }, { appRoot });
    try {
      expect(await probe.findLine('queueTrigger is not registered')).toMatchObject({ level: 'warning' });
    } finally {
      await probe.close();
    }
  });
});
