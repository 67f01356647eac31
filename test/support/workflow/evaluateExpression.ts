/** What the functions of an expression give; each takes its arguments evaluated. */
export type WorkflowFunctions = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

/**
 * Evaluates the values and names of a workflow definition as the engine does: `@f(…)` keeps the type, `@{f(…)}` inside text makes
 * text, `@@` is one `@`. Knows function calls, text and number literals, and members by `['name']` and `?['name']`; throws on all
 * else, so that a definition cannot use what is not evaluated here. (learn.microsoft.com/azure/logic-apps/logic-apps-workflow-definition-language#expressions)
 */
export function evaluate(value: unknown, functions: WorkflowFunctions): unknown {
  if (Array.isArray(value)) return value.map((item) => evaluate(item, functions));
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value);
    return Object.fromEntries(
      members.map(([name, item]) => [toText(evaluate(name, functions)), evaluate(item, functions)]),
    );
  }
  if (typeof value !== 'string' || !value.includes('@')) return value;
  if (value.startsWith('@@')) return value.slice(1);
  if (value.startsWith('@') && !value.startsWith('@{')) {
    const reader = new ExpressionReader(value, 1, functions);
    const result = reader.read();
    reader.expectEnd();
    return result;
  }
  return interpolate(value, functions);
}

function interpolate(text: string, functions: WorkflowFunctions): string {
  let result = '';
  let at = 0;
  for (let start = text.indexOf('@{'); start >= 0; start = text.indexOf('@{', at)) {
    const reader = new ExpressionReader(text, start + 2, functions);
    result += text.slice(at, start) + toText(reader.read());
    at = reader.expect('}');
  }
  return result + text.slice(at);
}

export function toText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

class ExpressionReader {
  readonly #text: string;
  readonly #functions: WorkflowFunctions;
  #at: number;

  constructor(text: string, at: number, functions: WorkflowFunctions) {
    this.#text = text;
    this.#at = at;
    this.#functions = functions;
  }

  read(): unknown {
    let value = this.#literal() ?? this.#number() ?? this.#call();
    for (let member = this.#member(); member !== undefined; member = this.#member()) {
      if (typeof value === 'object' && value !== null) value = Reflect.get(value, member.name);
      else if (member.isOptional && (value === undefined || value === null)) value = undefined;
      else throw this.#fault(`'${member.name}' cannot be read from ${toText(value) || 'null'}`);
    }
    return value;
  }

  /** Goes past the text and says where it ends. */
  expect(text: string): number {
    if (!this.#text.startsWith(text, this.#at)) throw this.#fault(`'${text}' expected`);
    this.#at += text.length;
    return this.#at;
  }

  expectEnd(): void {
    if (this.#at !== this.#text.length) throw this.#fault('end expected');
  }

  #literal(): string | undefined {
    return this.#match(/\s*'((?:[^']|'')*)'/y)?.[1]?.replaceAll("''", "'");
  }

  #number(): number | undefined {
    const digits = this.#match(/\s*(\d+)/y)?.[1];
    return digits === undefined ? undefined : Number(digits);
  }

  #call(): unknown {
    const name = this.#match(/\s*([a-zA-Z]+)\(/y)?.[1];
    const call = name === undefined ? undefined : this.#functions[name];
    if (call === undefined) throw this.#fault('a known function or a text expected');
    const args: unknown[] = [];
    while (this.#match(/\s*\)/y) === undefined) {
      if (args.length > 0) this.expect(',');
      args.push(this.read());
    }
    return call(...args);
  }

  #member(): { readonly name: string; readonly isOptional: boolean } | undefined {
    const match = this.#match(/(\??)\['([^']+)'\]/y);
    return match === undefined ? undefined : { name: match[2] ?? '', isOptional: match[1] === '?' };
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text) ?? undefined;
    this.#at += match?.[0].length ?? 0;
    return match;
  }

  #fault(what: string): Error {
    return new Error(`${what} at ${this.#at} of ${this.#text}`);
  }
}
