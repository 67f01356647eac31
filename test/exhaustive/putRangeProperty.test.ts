import '../unit/uploads/putRangeProperty.test.ts';
