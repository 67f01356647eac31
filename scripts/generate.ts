import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileValidators } from './compileValidators.ts';
import { renderConfiguration } from './renderConfiguration.ts';
import { renderErrors } from './renderErrors.ts';

/** Writes every file that is made from the source: validators, and the documents that a test compares with it. */
const docs = (name: string) => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));

compileValidators();
writeFileSync(docs('errors.md'), renderErrors());
writeFileSync(docs('configuration.md'), renderConfiguration());
