import '../integration/forgedHeads.test.ts';
