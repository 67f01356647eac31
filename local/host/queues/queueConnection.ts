export type QueueConnection =
  | { readonly kind: 'connectionString'; readonly value: string }
  | { readonly kind: 'identity' }
  | { readonly kind: 'missing' };

const IDENTITY_MEMBERS = ['queueServiceUri', 'serviceUri', 'accountName'];

/** Follows the `connection` of a trigger: a setting of that name, with or without `AzureWebJobs` before it. */
export function findQueueConnection(name: string, settings: NodeJS.ProcessEnv): QueueConnection {
  for (const candidate of [`AzureWebJobs${name}`, name]) {
    const value = settings[candidate];
    if (value !== undefined && value !== '') {
      return { kind: 'connectionString', value };
    }
    if (IDENTITY_MEMBERS.some((member) => settings[`${candidate}__${member}`] !== undefined)) {
      return { kind: 'identity' };
    }
  }
  return { kind: 'missing' };
}
