import type { Binding, FunctionMetadata } from './messages.ts';
import { matchRoute, parseRouteTemplate, type RouteParameters, type RouteTemplate } from './routeTemplate.ts';

export interface HttpFunction {
  readonly id: string;
  readonly name: string;
  readonly methods: readonly string[];
  /** The template with the prefix, without a leading slash. */
  readonly route: string;
  readonly authLevel: string;
  /** The name of its trigger binding. */
  readonly triggerName: string;
  readonly template: RouteTemplate;
}

export interface RouteMatch {
  readonly called: HttpFunction;
  readonly parameters: RouteParameters;
}

/**
 * The functions with an HTTP trigger, in the platform's matching order: by name, ordinal, ignoring case. Reports and omits a
 * function of another kind, or with an unsupported route.
 */
export function listHttpFunctions(
  functions: readonly FunctionMetadata[],
  routePrefix: string,
  report: (message: string) => void,
): readonly HttpFunction[] {
  const found: HttpFunction[] = [];
  for (const metadata of functions) {
    const [triggerName, trigger] =
      Object.entries(metadata.bindings).find(([, { type }]) => /^httpTrigger$/i.test(type)) ?? [];
    if (triggerName === undefined || trigger === undefined) {
      report(`${metadata.name}: only HTTP and queue triggers run on this host.`);
      continue;
    }
    try {
      found.push(toHttpFunction(metadata, triggerName, trigger, routePrefix));
    } catch (error) {
      report(`${metadata.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return found.sort((one, other) => (one.name.toUpperCase() < other.name.toUpperCase() ? -1 : 1));
}

function toHttpFunction(
  { name, functionId }: FunctionMetadata,
  triggerName: string,
  trigger: Binding,
  routePrefix: string,
): HttpFunction {
  const route = [routePrefix, trigger.route ?? name]
    .map((part) => part.replace(/^\/|\/$/g, ''))
    .filter(Boolean)
    .join('/');
  return {
    id: functionId ?? name,
    name,
    methods: (trigger.methods ?? ['GET', 'POST']).map((method) => method.toUpperCase()),
    route,
    authLevel: trigger.authLevel?.toLowerCase() ?? 'function',
    triggerName,
    template: parseRouteTemplate(route),
  };
}

/** The first function whose template and method both match: after a wrong method the next one is tried. */
export function findRoute(functions: readonly HttpFunction[], method: string, path: string): RouteMatch | undefined {
  for (const called of functions) {
    const parameters = called.methods.includes(method) ? matchRoute(called.template, path) : undefined;
    if (parameters !== undefined) return { called, parameters };
  }
  return undefined;
}
