import { globSync, readFileSync, statSync } from 'node:fs';
import { check, type Diagnostics } from 'recheck';
import { type FoundExpression, findRegularExpressions } from './findRegularExpressions.ts';

/**
 * Usage: node scripts/checkRegularExpressions.ts [file or folder…]; default: functions, shared and the policy's schema.
 * Proves that every regular expression takes linear time: text from a caller must not block the event loop. Prints one
 * line per expression; exits 1 if one is not linear, cannot be proved, or is built while the app runs.
 */
const DEFAULT_PATHS = ['functions', 'shared', 'docs/policy.schema.json'];

/** Per expression. The slowest takes two seconds on an idle core. */
const TIMEOUT_MS = 60_000;

// The pure backend is part of the package. The default one would start an optional native binary, or Java.
process.env['RECHECK_BACKEND'] = 'pure';

interface Result {
  readonly isLinear: boolean;
  readonly complexity: string;
}

async function main(paths: readonly string[]): Promise<void> {
  const results = new Map<string, Result>();
  let refused = 0;
  for (const file of paths.flatMap(filesIn)) {
    for (const expression of findRegularExpressions(file, readFileSync(file, 'utf8'))) {
      const spelled = spell(expression);
      const result = results.get(spelled) ?? (await judge(expression));
      results.set(spelled, result);
      if (!result.isLinear) refused += 1;
      console.log(`${result.isLinear ? 'ok  ' : 'FAIL'} ${file}:${expression.line} ${spelled} ${result.complexity}`);
    }
  }
  if (refused === 0) return;
  console.error(`${refused} regular expressions are not proved linear. Rewrite them, or parse the text by hand.`);
  process.exitCode = 1;
}

function filesIn(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return globSync(['**/*.ts', '**/*.schema.json'], { cwd: path })
    .sort()
    .map((file) => `${path}/${file}`);
}

function spell(expression: FoundExpression): string {
  return expression.kind === 'computed' ? expression.code : `/${expression.source}/${expression.flags}`;
}

async function judge(expression: FoundExpression): Promise<Result> {
  if (expression.kind === 'computed') return { isLinear: false, complexity: 'is computed: write a literal' };
  // Only the automaton proves something; the fuzzer, which recheck prefers for long repetitions, only finds nothing.
  const diagnostics = await check(expression.source, expression.flags, { checker: 'automaton', timeout: TIMEOUT_MS });
  return { isLinear: diagnostics.status === 'safe', complexity: describe(diagnostics) };
}

function describe(diagnostics: Diagnostics): string {
  if (diagnostics.status !== 'unknown') return diagnostics.complexity.summary;
  const { error } = diagnostics;
  return 'message' in error ? `${error.kind}: ${error.message}` : error.kind;
}

await main(process.argv.length > 2 ? process.argv.slice(2) : DEFAULT_PATHS);
