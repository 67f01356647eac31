import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readOptions } from './commandLine.ts';
import { compileValidators } from './compileValidators.ts';
import { renderConfiguration } from './renderConfiguration.ts';
import { renderErrors } from './renderErrors.ts';

/** Writes every file that is made from the source: validators, and the documents that a test compares with it. */
const docs = (name: string) => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));

readOptions('Usage: npm run generate\nWrites the validators, docs/errors.md and docs/configuration.md.', {});
compileValidators();
writeFileSync(docs('errors.md'), renderErrors());
writeFileSync(docs('configuration.md'), renderConfiguration());
