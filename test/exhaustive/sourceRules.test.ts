import '../unit/sources/sourceRules.test.ts';
