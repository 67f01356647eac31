import '../integration/sourceGuard.test.ts';
