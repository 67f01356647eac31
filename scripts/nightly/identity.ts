import { startIdentityEmulator } from '../../local/emulators/managedIdentity/identity.ts';

// For .github/workflows/nightly.yml: an emulated managed identity, so that the app is ready without a tenant. Prints the settings
// that lead to it and runs until it is ended.

const { env } = await startIdentityEmulator();
const lines = Object.entries(env).map(([name, value]) => `${name}='${value}'\n`);
process.stdout.write(lines.join('')); // At once: a reader must not find half of them.
