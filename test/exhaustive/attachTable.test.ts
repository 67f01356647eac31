import '../integration/attachTable.test.ts';
