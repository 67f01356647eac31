import { join } from 'node:path';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { HttpAnswer, InvocationRequest } from '../../../local/host/messages.ts';

/** One message of the event stream between host and worker, in either direction; it has one content. */
export interface StreamingMessage {
  readonly requestId?: string;
  readonly startStream?: { readonly workerId: string };
  readonly workerInitRequest?: { readonly hostVersion: string };
  readonly invocationRequest?: InvocationRequest;
  readonly invocationResponse?: InvocationResponse;
  readonly rpcLog?: RpcLog;
}

export interface InvocationResponse {
  readonly invocationId: string;
  readonly outputData: readonly [];
  /** The response of a buffered call. */
  readonly returnValue?: { readonly http?: HttpAnswer };
  readonly result: { readonly status: number; readonly exception?: { readonly message: string } };
}

export interface RpcLog {
  /** This and the category are absent outside an invocation. */
  readonly invocationId?: string;
  readonly category?: string;
  readonly level: number;
  readonly message: string;
  readonly logCategory: number;
}

export const STATUS = { failure: 0, success: 1 } as const;

/** In the order of RpcLog.Level and RpcLog.RpcLogCategory: the index is the value. */
export const LOG_LEVELS = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'] as const;
export const LOG_CATEGORIES = ['user', 'system', 'customMetric'] as const;

/** The service with the options of the Node worker (Azure/azure-functions-nodejs-worker, GrpcClient). */
export const { functionRpc, eventStream } = loadService();

function loadService(): {
  functionRpc: ServiceDefinition;
  eventStream: MethodDefinition<StreamingMessage, StreamingMessage>;
} {
  const options = { objects: true, defaults: true, oneofs: true };
  const definitions = loadSync(join(import.meta.dirname, 'functionRpc.proto'), options);
  const functionRpc = definitions['AzureFunctionsRpcMessages.FunctionRpc'];
  if (functionRpc === undefined || !('EventStream' in functionRpc)) throw new Error('The proto has no such service.');
  return { functionRpc, eventStream: functionRpc['EventStream'] };
}
