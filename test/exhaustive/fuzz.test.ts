import '../integration/fuzz.test.ts';
