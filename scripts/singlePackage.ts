import type { Metafile } from 'esbuild';

/** Two versions of one package would each have its own classes and state. @throws Error unless it comes from one folder */
export function checkSinglePackage({ inputs }: Pick<Metafile, 'inputs'>, name: string): void {
  const folders = packageFolders({ inputs }, name);
  if (folders.length !== 1)
    throw new Error(`The build must hold one ${name}, not ${folders.length}: ${folders.join(', ')}`);
}

/** The folders from which a package's files are bundled. */
function packageFolders({ inputs }: Pick<Metafile, 'inputs'>, name: string): string[] {
  const end = `node_modules/${name}/`;
  const folders = Object.keys(inputs).flatMap((input) => {
    const at = input.lastIndexOf(end);
    return at < 0 ? [] : [input.slice(0, at + end.length)];
  });
  return [...new Set(folders)];
}
