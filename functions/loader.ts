import { createModules } from './cachedModules.ts';

// dist/main.cjs, which the platform loads: it loads the app beside it, dist/app.cjs.

createModules(__dirname, require).load('./app.cjs');
