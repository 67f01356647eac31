import { join } from 'node:path';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { InvocationOutcome, InvocationRequest } from '../../local/host/messages.ts';

// The gRPC event stream between host and worker, with the options of the Node worker (Azure/azure-functions-nodejs-worker,
// GrpcClient).

/** A message in either direction. It has one content. */
interface StreamingMessage {
  readonly requestId?: string;
  readonly startStream?: { readonly workerId: string };
  readonly workerInitRequest?: { readonly hostVersion: string };
  readonly invocationRequest?: InvocationRequest;
  readonly invocationResponse?: InvocationResponse;
  readonly rpcLog?: RpcLog;
}

type Returned = Extract<InvocationOutcome, { kind: 'returned' }>;

interface InvocationResponse {
  readonly invocationId: string;
  readonly outputData: readonly [];
  /** The response of a buffered call. */
  readonly returnValue?: { readonly http?: NonNullable<Returned['response']> };
  readonly result: { readonly status: number; readonly exception?: { readonly message: string } };
}

interface RpcLog {
  /** This and the category are absent outside an invocation. */
  readonly invocationId?: string;
  readonly category?: string;
  readonly level: number;
  readonly message: string;
  readonly logCategory: number;
}

type HostStream = grpc.ServerDuplexStream<StreamingMessage, StreamingMessage>;
type Invoke = (request: InvocationRequest) => Promise<InvocationOutcome>;

const STATUS = { failure: 0, success: 1 };

/** In the order of RpcLog.Level and RpcLog.RpcLogCategory: the index is the value. */
export const LOG_LEVELS = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'] as const;
export const LOG_CATEGORIES = ['user', 'system', 'customMetric'] as const;

function loadService(): {
  service: grpc.ServiceDefinition;
  eventStream: grpc.MethodDefinition<StreamingMessage, StreamingMessage>;
} {
  const options = { objects: true, defaults: true, oneofs: true };
  const definitions = loadSync(join(import.meta.dirname, 'functionRpc.proto'), options);
  const service = definitions['AzureFunctionsRpcMessages.FunctionRpc'];
  if (service === undefined || !('EventStream' in service)) throw new Error('functionRpc.proto has no event stream.');
  return { service, eventStream: service['EventStream'] };
}

/** The host's side. It serves the worker that connected last. */
export async function startHostSide(): Promise<{ readonly address: string; readonly invoke: Invoke }> {
  const waiting = new Map<string, (outcome: InvocationOutcome) => void>();
  let worker: HostStream | undefined;
  const server = new grpc.Server();
  server.addService(loadService().service, {
    EventStream(stream: HostStream) {
      stream.on('data', ({ startStream, invocationResponse }: StreamingMessage) => {
        if (startStream !== undefined) {
          worker = stream;
          waiting.clear(); // Invocations of a worker that has ended.
          stream.write({ workerInitRequest: { hostVersion: '4.1052.0' } });
        } else if (invocationResponse !== undefined) {
          waiting.get(invocationResponse.invocationId)?.(toOutcome(invocationResponse));
          waiting.delete(invocationResponse.invocationId);
        }
      });
      stream.on('error', () => undefined); // The worker's process has ended.
      stream.on('end', () => stream.end());
    },
  });
  const bind = promisify<string, grpc.ServerCredentials, number>(server.bindAsync.bind(server));
  const port = await bind('127.0.0.1:0', grpc.ServerCredentials.createInsecure());
  return {
    address: `127.0.0.1:${port}`,
    invoke(invocationRequest) {
      return new Promise((resolve) => {
        waiting.set(invocationRequest.invocationId, resolve);
        worker?.write({ requestId: invocationRequest.invocationId, invocationRequest });
      });
    },
  };
}

/** The worker's side. Connects, and waits until the host lets the worker load the app. */
export async function connectToHost(address: string, workerId: string) {
  const { path, requestSerialize, responseDeserialize } = loadService().eventStream;
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
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
    log: (rpcLog: RpcLog) => send({ rpcLog }),
    /** Responds to each further invocation. */
    serve(invoke: Invoke): void {
      stream.on('data', async ({ requestId = '', invocationRequest }: StreamingMessage) => {
        if (invocationRequest === undefined) return;
        const { invocationId } = invocationRequest;
        const content = toContent(await invoke(invocationRequest));
        send({ requestId, invocationResponse: { invocationId, outputData: [], ...content } });
      });
    },
  };
}

function toOutcome({ result, returnValue }: InvocationResponse): InvocationOutcome {
  if (result.status !== STATUS.success) return { kind: 'failed', message: result.exception?.message ?? '' };
  const http = returnValue?.http;
  return { kind: 'returned', ...(http !== undefined && { response: http }) };
}

function toContent(outcome: InvocationOutcome): Pick<InvocationResponse, 'result' | 'returnValue'> {
  if (outcome.kind === 'returned') {
    const http = outcome.response;
    return { ...(http !== undefined && { returnValue: { http } }), result: { status: STATUS.success } };
  }
  const message = outcome.kind === 'failed' ? outcome.message : outcome.kind;
  return { result: { status: STATUS.failure, exception: { message } } };
}
