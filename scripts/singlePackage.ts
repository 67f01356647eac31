import type { Metafile } from 'esbuild';

/** Two versions of one package would each have its own classes and state. @throws Error unless it comes from one folder */
export function checkSinglePackage({ inputs }: Pick<Metafile, 'inputs'>, name: string): void {
  const end = `node_modules/${name}/`;
  const found = Object.keys(inputs).filter((input) => input.includes(end));
  const folders = new Set(found.map((input) => input.slice(0, input.lastIndexOf(end) + end.length)));
  if (folders.size !== 1)
    throw new Error(`The build must hold one ${name}, not ${folders.size}: ${[...folders].join(', ')}`);
}
