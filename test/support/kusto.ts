// @kusto/language-service-next is compiled from C#: its two files, loaded in this order, set the global `Kusto`. Its own type
// declarations are 1.7 MB, so this file declares the few members that it calls.

interface Kusto {
  readonly Language: {
    readonly GlobalState: { readonly Default: { WithDatabase(database: object): object } };
    readonly KustoCode: { ParseAndAnalyze(query: string, globals: object): Analyzed };
    readonly Symbols: {
      readonly DatabaseSymbol: { readonly ctor: new (name: string, members: readonly object[]) => object };
      readonly TableSymbol: { readonly $ctor7: new (name: string, schema: string, description: null) => object };
    };
    readonly Syntax: {
      readonly SyntaxElement: { WalkElements(root: object, visit: (element: SyntaxElement) => void): void };
      readonly SyntaxKind: { readonly PathExpression: number };
    };
  };
}

interface Analyzed {
  readonly Syntax: object;
  GetDiagnostics(): { readonly Count: number; getItem(index: number): { readonly Message: string } };
}

interface SyntaxElement {
  readonly Kind: number;
  toString(): string;
}

declare global {
  var Kusto: Kusto;
}

require('@kusto/language-service-next/bridge.min.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');

/** The columns of Application Insights' table that the queries may use. */
const COLUMNS =
  '(timestamp: datetime, message: string, severityLevel: int, operation_Id: string, cloud_RoleInstance: string)';

/** The errors and warnings of Microsoft's parser, and the members that the query reads of `r`, such as `ms.total`. */
export function analyzeQuery(query: string): {
  readonly errors: readonly string[];
  readonly fields: readonly string[];
} {
  const { GlobalState, KustoCode, Symbols, Syntax } = globalThis.Kusto.Language;
  const traces = new Symbols.TableSymbol.$ctor7('traces', COLUMNS, null);
  const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('insights', [traces]));
  const code = KustoCode.ParseAndAnalyze(query, globals);
  const diagnostics = code.GetDiagnostics();
  const errors = Array.from({ length: diagnostics.Count }, (_, index) => diagnostics.getItem(index).Message);
  const paths: string[] = [];
  Syntax.SyntaxElement.WalkElements(code.Syntax, (element) => {
    if (element.Kind === Syntax.SyntaxKind.PathExpression) paths.push(element.toString().trim());
  });
  return { errors, fields: paths.filter((path) => path.startsWith('r.')).map((path) => path.slice('r.'.length)) };
}
