import ts from 'typescript';

/** A regular expression in a file, or one whose source only the running code knows. */
export type FoundExpression =
  | { readonly kind: 'literal'; readonly line: number; readonly source: string; readonly flags: string }
  | { readonly kind: 'computed'; readonly line: number; readonly code: string };

type Expression = Pick<Extract<FoundExpression, { kind: 'literal' }>, 'source' | 'flags'>;

/**
 * Finds every regular expression literal and every call of `RegExp` in TypeScript, or in a JSON schema every `pattern` and every
 * name in `patternProperties`. A call counts as a literal if its arguments are string literals; otherwise it is `computed`.
 */
export function findRegularExpressions(fileName: string, text: string): FoundExpression[] {
  const isSchema = fileName.endsWith('.json');
  const file = isSchema
    ? ts.parseJsonText(fileName, text)
    : ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, true);
  const found: FoundExpression[] = [];
  visit(file);
  return found;

  function visit(node: ts.Node): void {
    const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
    if (isSchema) {
      found.push(...schemaPatterns(node).map((source) => ({ kind: 'literal', line, source, flags: 'u' }) as const));
    } else if (ts.isRegularExpressionLiteral(node) || isRegExpCall(node)) {
      const expression = ts.isRegularExpressionLiteral(node) ? splitLiteral(node.text) : literalArguments(node);
      found.push(
        expression ? { kind: 'literal', line, ...expression } : { kind: 'computed', line, code: node.getText(file) },
      );
    }
    ts.forEachChild(node, visit);
  }
}

/** ajv compiles them with the flag `u`. */
function schemaPatterns(node: ts.Node): string[] {
  if (!ts.isPropertyAssignment(node) || !ts.isStringLiteral(node.name)) return [];
  const { name, initializer } = node;
  if (name.text === 'pattern' && ts.isStringLiteral(initializer)) return [initializer.text];
  if (name.text !== 'patternProperties' || !ts.isObjectLiteralExpression(initializer)) return [];
  return initializer.properties.flatMap((property) =>
    property.name && ts.isStringLiteral(property.name) ? [property.name.text] : [],
  );
}

function isRegExpCall(node: ts.Node): node is ts.NewExpression | ts.CallExpression {
  return (
    (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
    /^(globalThis\.)?RegExp$/.test(node.expression.getText(node.getSourceFile()))
  );
}

function splitLiteral(text: string): Expression {
  const end = text.lastIndexOf('/');
  return { source: text.slice(1, end), flags: text.slice(end + 1) };
}

/** An argument that is itself a regular expression literal is found on its own, but its flags may change: `computed`. */
function literalArguments({ arguments: given }: ts.NewExpression | ts.CallExpression): Expression | undefined {
  const [source, flags, ...others] = given ?? [];
  if (source === undefined || !ts.isStringLiteralLike(source) || others.length > 0) return undefined;
  if (flags !== undefined && !ts.isStringLiteralLike(flags)) return undefined;
  return { source: source.text, flags: flags?.text ?? '' };
}
