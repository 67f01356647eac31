import '../integration/earlyAnswers.test.ts';
