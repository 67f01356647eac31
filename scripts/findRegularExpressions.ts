import ts from 'typescript';

/** A regular expression in a file, or one whose source only the running code knows. */
export type FoundExpression =
  | { readonly kind: 'literal'; readonly line: number; readonly source: string; readonly flags: string }
  | { readonly kind: 'computed'; readonly line: number; readonly code: string };

/**
 * Finds every regular expression literal and every call of `RegExp`, with or without `new`, in TypeScript source.
 * A call counts as a literal if its arguments are string literals; everything else is `computed`.
 */
export function findInSource(fileName: string, text: string): FoundExpression[] {
  const file = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, true);
  const found: FoundExpression[] = [];
  visit(file);
  return found;

  function visit(node: ts.Node): void {
    if (ts.isRegularExpressionLiteral(node)) add(node, splitLiteral(node.text));
    else if (isRegExpCall(node)) add(node, literalArguments(node.arguments ?? []));
    ts.forEachChild(node, visit);
  }

  function add(node: ts.Node, parts: { source: string; flags: string } | undefined): void {
    const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
    found.push(
      parts === undefined ? { kind: 'computed', line, code: node.getText(file) } : { kind: 'literal', line, ...parts },
    );
  }
}

function isRegExpCall(node: ts.Node): node is ts.NewExpression | ts.CallExpression {
  return (
    (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
    /^(globalThis\.)?RegExp$/.test(node.expression.getText(node.getSourceFile()))
  );
}

function splitLiteral(text: string): { source: string; flags: string } {
  const end = text.lastIndexOf('/');
  return { source: text.slice(1, end), flags: text.slice(end + 1) };
}

/** An argument that is itself a regular expression literal is found on its own, but its flags may change: `computed`. */
function literalArguments([source, flags, ...others]: readonly ts.Expression[]) {
  if (source === undefined || !ts.isStringLiteralLike(source) || others.length > 0) return undefined;
  if (flags !== undefined && !ts.isStringLiteralLike(flags)) return undefined;
  return { source: source.text, flags: flags?.text ?? '' };
}

/** Finds every `pattern`, and every name in `patternProperties`, in a JSON schema. ajv compiles them with the flag `u`. */
export function findInSchema(text: string): FoundExpression[] {
  // JSON is TypeScript's syntax as well, and its parser knows the lines.
  const file = ts.parseJsonText('schema.json', text);
  const found: FoundExpression[] = [];
  visit(file);
  return found;

  function visit(node: ts.Node): void {
    if (ts.isPropertyAssignment(node) && ts.isStringLiteral(node.name)) {
      const { name, initializer } = node;
      if (name.text === 'pattern' && ts.isStringLiteral(initializer)) add(initializer);
      if (name.text === 'patternProperties' && ts.isObjectLiteralExpression(initializer)) {
        for (const property of initializer.properties) if (property.name) add(property.name);
      }
    }
    ts.forEachChild(node, visit);
  }

  function add(node: ts.Node): void {
    const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
    if (ts.isStringLiteral(node)) found.push({ kind: 'literal', line, source: node.text, flags: 'u' });
  }
}
