import '../integration/attachFaults.test.ts';
