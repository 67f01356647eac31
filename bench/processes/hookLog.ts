import type { Logger } from '../../local/host/worker/coreTypes.ts';
import type { HookRegistry } from '../../local/host/worker/hooks.ts';

/** A registry that can log around its hooks as the Node worker does (its executeHooks). */
export interface LoggedHooks extends HookRegistry {
  loggedTo(log: Logger): HookRegistry;
}

export function withHookLog(hooks: HookRegistry): LoggedHooks {
  const counts = new Map<string, number>();
  return {
    ...hooks,
    register(name, callback) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return hooks.register(name, callback);
    },
    loggedTo: (log) => ({
      ...hooks,
      async run(name, context) {
        const count = counts.get(name) ?? 0;
        if (count === 0) return;
        log('debug', 'system', `Executing ${count} "${name}" hooks`);
        await hooks.run(name, context);
        log('debug', 'system', `Executed "${name}" hooks`);
      },
    }),
  };
}
