import { checkSinglePackage } from '../../../scripts/singlePackage.ts';

const inputs = (...paths: string[]) => ({
  inputs: Object.fromEntries(paths.map((path) => [path, { bytes: 1, imports: [] }])),
});
const FIRST = 'node_modules/@azure/msal-node/dist/index.mjs';

describe('checkSinglePackage', () => {
  it('takes a build with one copy of a package', () => {
    const metafile = inputs(FIRST, 'node_modules/@azure/msal-node/dist/other.mjs', 'shared/service.ts');

    expect(() => checkSinglePackage(metafile, '@azure/msal-node')).not.toThrow();
  });

  it.each([
    ['two copies', inputs(FIRST, 'node_modules/@azure/identity/node_modules/@azure/msal-node/dist/index.mjs'), 'not 2'],
    ['no copy', inputs('shared/service.ts'), 'not 0'],
  ])('refuses a build with %s', (_, metafile, message) => {
    expect(() => checkSinglePackage(metafile, '@azure/msal-node')).toThrow(message);
  });
});
