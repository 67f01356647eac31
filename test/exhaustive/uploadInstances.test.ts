import '../integration/uploadInstances.test.ts';
