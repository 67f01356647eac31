export type JsonObject = Readonly<Record<string, unknown>>;

/** A compiled template, with the resources of its nested deployments left where they are. */
export interface ArmTemplate {
  readonly parameters: JsonObject;
  readonly variables: JsonObject;
  readonly resources: readonly ArmResource[];
}

export interface ArmResource {
  readonly type: string;
  readonly name: string;
  readonly body: JsonObject;
  /** The template that declares the resource: its parameters and variables are the ones in scope. */
  readonly template: ArmTemplate;
}

/** Reads what `bicep build` printed; throws when it is not a template. */
export function parseTemplate(text: string): ArmTemplate {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error('The compiled template is not an object.');
  return readTemplate(value);
}

/** The resources of the template and of every deployment nested in it. */
export function allResources(template: ArmTemplate): readonly ArmResource[] {
  return template.resources.flatMap((resource) => {
    const nested = nestedTemplate(resource);
    return nested === undefined ? [resource] : [resource, ...allResources(nested)];
  });
}

/** The template of a nested deployment; undefined for any other resource. */
export function nestedTemplate(resource: ArmResource): ArmTemplate | undefined {
  const template = at(resource.body, 'properties.template');
  return isObject(template) ? readTemplate(template) : undefined;
}

/** The value at a dotted path, or undefined. */
export function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((object, key) => (isObject(object) ? object[key] : undefined), value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The name in an expression that is nothing but `[parameters('name')]` or `[variables('name')]`. */
export function referredName(expression: unknown, kind: 'parameters' | 'variables'): string | undefined {
  return typeof expression === 'string' ? new RegExp(`^\\[${kind}\\('(\\w+)'\\)\\]$`).exec(expression)?.[1] : undefined;
}

function readTemplate(value: JsonObject): ArmTemplate {
  const resources: ArmResource[] = [];
  const template = { parameters: objectOf(value['parameters']), variables: objectOf(value['variables']), resources };
  // An array in language version 1.0, an object keyed by symbolic name in 2.0.
  for (const body of Object.values(value['resources'] ?? {})) {
    if (!isObject(body)) throw new Error('A resource of the compiled template is not an object.');
    if (body['existing'] !== true) {
      resources.push({ type: String(body['type']), name: String(body['name']), body, template });
    }
  }
  return template;
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
