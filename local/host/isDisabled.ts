import type { FunctionMetadata } from './messages.ts';

/** A setting turns a function off: learn.microsoft.com/azure/azure-functions/disable-function */
export function isDisabled({ name }: FunctionMetadata, settings: NodeJS.ProcessEnv): boolean {
  return /^(true|1)$/i.test(settings[`AzureWebJobs.${name}.Disabled`] ?? '');
}
