import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import type { InvocationOutcome, InvocationRequest } from '../../../local/host/messages.ts';
import { functionRpc, type InvocationResponse, STATUS, type StreamingMessage } from './functionRpc.ts';

/** The host's side of the event stream, for one worker at a time: the one that connected last. */
export interface WorkerChannel {
  readonly address: string;
  /** Sends the invocation and resolves with the worker's response. */
  invoke(request: InvocationRequest): Promise<InvocationOutcome>;
}

type Stream = ServerDuplexStream<StreamingMessage, StreamingMessage>;

export async function startWorkerChannel(): Promise<WorkerChannel> {
  const waiting = new Map<string, (outcome: InvocationOutcome) => void>();
  let worker: Stream | undefined;

  function receive(stream: Stream, { startStream, invocationResponse }: StreamingMessage): void {
    if (startStream !== undefined) {
      worker = stream;
      waiting.clear(); // Calls of a worker that has ended.
      stream.write({ workerInitRequest: { hostVersion: '4.1052.0' } });
    } else if (invocationResponse !== undefined) {
      waiting.get(invocationResponse.invocationId)?.(toOutcome(invocationResponse));
      waiting.delete(invocationResponse.invocationId);
    }
  }

  const server = new Server();
  server.addService(functionRpc, {
    EventStream(stream: Stream) {
      stream.on('data', (message: StreamingMessage) => receive(stream, message));
      stream.on('error', () => undefined); // The worker's process has ended.
      stream.on('end', () => stream.end());
    },
  });
  return {
    address: await listen(server),
    invoke(invocationRequest) {
      return new Promise((resolve) => {
        waiting.set(invocationRequest.invocationId, resolve);
        worker?.write({ requestId: invocationRequest.invocationId, invocationRequest });
      });
    },
  };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(`127.0.0.1:${port}`);
      else reject(error);
    });
  });
}

function toOutcome({ result, returnValue }: InvocationResponse): InvocationOutcome {
  if (result.status !== STATUS.success) return { kind: 'failed', message: result.exception?.message ?? '' };
  const answer = returnValue?.http;
  return { kind: 'returned', ...(answer !== undefined && { answer }) };
}
