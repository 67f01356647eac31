import '../integration/policyProperty.test.ts';
