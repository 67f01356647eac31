import type { ProgrammingModel } from './coreTypes.ts';

/**
 * The programming model that the worker brings along, for an app that sets none. It calls a handler with the context first and
 * takes its result for the response (Azure/azure-functions-nodejs-worker: V3InvocationModel). As far as a plain response needs.
 */
export const DEFAULT_MODEL: ProgrammingModel = {
  name: '@azure/functions',
  version: '3.5.1',
  getCapabilities: async (capabilities) => capabilities,
  getInvocationModel: ({ invocationId, request }) => ({
    getArguments: async () => ({ context: { invocationId }, inputs: request.inputData.map(({ data }) => data.http) }),
    invokeFunction: async (context, inputs, callback) => callback(context, ...inputs),
    getResponse: async (_context, result) => ({ returnValue: { http: toHttpAnswer(result) } }),
  }),
};

function toHttpAnswer(result: unknown) {
  const { status = 200, headers = {}, body = '' } = Object(result);
  return { statusCode: String(status), headers: { ...headers }, body: { bytes: Buffer.from(String(body)) } };
}
