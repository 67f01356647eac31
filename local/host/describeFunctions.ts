import type { LocalHost } from './startHost.ts';

/** The list of functions in the words of `func start`: a heading, then a line for each with its methods and URL. */
export function describeFunctions(host: Pick<LocalHost, 'url' | 'functions' | 'queueFunctions'>): string {
  const base = `http://localhost:${new URL(host.url).port}`;
  const lines = host.functions.map(({ name, methods, route }) => `\t${name}: [${methods.join(',')}] ${base}/${route}`);
  const queueLines = host.queueFunctions.map(({ name }) => `\t${name}: queueTrigger`);
  return ['Functions:', ...lines, ...queueLines].join('\n\n');
}
