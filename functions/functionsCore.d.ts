/**
 * The part of `@azure/functions-core` that the app uses. The language worker supplies the module when it is required; no
 * package of that name holds code (Azure/azure-functions-nodejs-worker, types-core).
 */
declare module '@azure/functions-core' {
  export interface CoreInvocationContext {
    readonly invocationId: string;
    readonly request: {
      readonly triggerMetadata?: Record<
        string,
        { readonly string?: string | null; readonly json?: string | null } | null
      > | null;
      readonly inputData?: readonly unknown[] | null;
    };
    readonly metadata?:
      | { readonly name?: string; readonly bindings?: Record<string, { readonly type?: string }> }
      | undefined;
    readonly state?: string | undefined;
    log(level: string, category: 'user' | 'system', message: string): void;
  }
  export interface InvocationModel {
    getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
    invokeFunction(context: unknown, inputs: unknown[], callback: (...args: unknown[]) => unknown): Promise<unknown>;
    getResponse(context: unknown, result: unknown): Promise<object>;
  }
  export interface ProgrammingModel {
    readonly name: string;
    readonly version: string;
    getInvocationModel(context: CoreInvocationContext): InvocationModel;
    getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
  }
  export interface CoreApi {
    getProgrammingModel(): unknown;
    setProgrammingModel(model: ProgrammingModel): void;
  }
  /** Checked by workerApi.ts before it is used. */
  const core: unknown;
  export default core;
}
