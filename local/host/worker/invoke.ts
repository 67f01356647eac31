import type { InvocationOutcome, InvocationRequest } from '../messages.ts';
import type { RegisteredFunction } from './coreApi.ts';
import type { CoreInvocationContext, FunctionCallback, Logger, ProgrammingModel } from './coreTypes.ts';
import { type HookRegistry, withReadOnly } from './hooks.ts';
import { type MissingMembers, NONE_MISSING } from './missingMembers.ts';

export interface Invoker {
  readonly model: ProgrammingModel;
  readonly hooks: HookRegistry;
  readonly appHookData: object;
  /** The log of one call; the context exists after the model has made it. */
  readonly logOf: (invocationId: string, contextOf: () => unknown) => Logger;
  /** Members that this worker does not have, for tests. */
  readonly without?: MissingMembers;
}

/**
 * One call, in the order of the Node worker's InvocationHandler: model, arguments, preInvocation, handler,
 * postInvocation, response. If a stage throws, the outcome is `failed`.
 */
export async function invoke(
  invoker: Invoker,
  called: RegisteredFunction | undefined,
  request: InvocationRequest,
): Promise<InvocationOutcome> {
  try {
    if (called === undefined) {
      throw new Error(`Function code for '${request.functionId}' is not loaded and cannot be invoked.`);
    }
    const { returnValue } = await runStages(invoker, called, request);
    const response = returnValue?.http;
    return { kind: 'returned', ...(response !== undefined && { response }) };
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

async function runStages(invoker: Invoker, called: RegisteredFunction, request: InvocationRequest) {
  const { hooks, appHookData } = invoker;
  let context: unknown;
  const coreContext: CoreInvocationContext = {
    invocationId: request.invocationId,
    request,
    metadata: called.metadata,
    state: undefined,
    log: invoker.logOf(request.invocationId, () => context),
  };
  const { without = NONE_MISSING } = invoker;
  without.remove('request', request);
  const model = invoker.model.getInvocationModel(without.hide('CoreInvocationContext', coreContext));
  const given = await model.getArguments();
  context = given.context;

  const shared = withReadOnly({ hookData: {}, appHookData, invocationContext: context });
  const before: { inputs: unknown[]; functionCallback: FunctionCallback } = Object.assign(withReadOnly(shared), {
    inputs: given.inputs,
    functionCallback: called.callback,
  });
  await inState(coreContext, 'preInvocationHooks', () => hooks.run('preInvocation', before));

  const after: { result: unknown; error: unknown } = Object.assign(withReadOnly(shared), {
    inputs: before.inputs,
    result: null,
    error: null,
  });
  await inState(coreContext, 'invocation', async () => {
    try {
      after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
    } catch (error) {
      after.error = error;
    }
  });
  await inState(coreContext, 'postInvocationHooks', () => hooks.run('postInvocation', after));
  if (after.error instanceof Error) throw after.error;
  return await model.getResponse(context, after.result);
}

async function inState(
  context: CoreInvocationContext,
  state: CoreInvocationContext['state'],
  run: () => Promise<void>,
): Promise<void> {
  context.state = state;
  try {
    await run();
  } finally {
    context.state = undefined;
  }
}
