import '../unit/source/sourceRules.test.ts';
