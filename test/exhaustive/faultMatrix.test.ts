import '../integration/faultMatrix.test.ts';
