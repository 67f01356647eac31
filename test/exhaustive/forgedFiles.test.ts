import '../integration/forgedFiles.test.ts';
