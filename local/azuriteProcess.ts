import { createRequire } from 'node:module';

// The process of Azurite, as its command line starts it; it ends when its parent is gone. Only azurite.ts starts this file.

process.on('disconnect', () => process.exit());
createRequire(import.meta.url)('azurite/dist/src/azurite.js');
