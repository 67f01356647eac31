import { compileValidators } from './compileValidators.ts';

compileValidators();
