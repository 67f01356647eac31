import '../unit/operations/receiveRangeProperty.test.ts';
