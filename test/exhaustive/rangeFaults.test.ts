import '../integration/rangeFaults.test.ts';
