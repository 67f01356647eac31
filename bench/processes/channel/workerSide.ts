import { Client, credentials } from '@grpc/grpc-js';
import type { InvocationOutcome, InvocationRequest } from '../../../local/host/messages.ts';
import { eventStream, type RpcLog, STATUS, type StreamingMessage } from './functionRpc.ts';

/** The worker's side of the event stream. */
export interface WorkerSide {
  log(line: RpcLog): void;
  /** Responds to each further invocation. */
  serve(invoke: (request: InvocationRequest) => Promise<InvocationOutcome>): void;
}

/** Connects, and waits until the host lets the worker load the app. */
export async function connectToHost(address: string, workerId: string): Promise<WorkerSide> {
  const { path, requestSerialize, responseDeserialize } = eventStream;
  const client = new Client(address, credentials.createInsecure());
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const send = (message: StreamingMessage) => stream.write(message);
  const initialized = new Promise<void>((resolve, reject) => {
    stream.once('data', ({ workerInitRequest }: StreamingMessage) => {
      if (workerInitRequest !== undefined) resolve();
    });
    stream.once('error', reject);
  });
  send({ startStream: { workerId } });
  await initialized;
  return {
    log: (rpcLog) => send({ rpcLog }),
    serve(invoke) {
      stream.on('data', async ({ requestId = '', invocationRequest }: StreamingMessage) => {
        if (invocationRequest === undefined) return;
        const outcome = await invoke(invocationRequest);
        send({ requestId, invocationResponse: toResponse(invocationRequest.invocationId, outcome) });
      });
    },
  };
}

function toResponse(invocationId: string, outcome: InvocationOutcome) {
  if (outcome.kind !== 'returned') {
    const message = outcome.kind === 'failed' ? outcome.message : outcome.kind;
    return { invocationId, outputData: [] as const, result: { status: STATUS.failure, exception: { message } } };
  }
  const { answer } = outcome;
  return {
    invocationId,
    outputData: [] as const,
    ...(answer !== undefined && { returnValue: { http: answer } }),
    result: { status: STATUS.success },
  };
}
