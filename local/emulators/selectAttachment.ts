/** Properties of the types that attachments collections hold (published CSDL); those of derived types want a cast before them. */
const TYPES = {
  fileAttachment: {
    base: 'attachment',
    own: ['id', 'name', 'contentType', 'size', 'isInline', 'lastModifiedDateTime'],
    derived: ['contentId', 'contentLocation', 'contentBytes'],
  },
  taskFileAttachment: {
    base: 'attachmentBase',
    own: ['id', 'name', 'contentType', 'size', 'lastModifiedDateTime'],
    derived: ['contentBytes'],
  },
} as const;

export type Selection =
  /** `names` is undefined where nothing was selected: all members. */
  | { readonly kind: 'selected'; readonly names: readonly string[] | undefined }
  | { readonly kind: 'unknown'; readonly message: string };

/**
 * Reads `$select`. A property of the derived type alone is unknown without a cast, as in
 * `microsoft.graph.fileAttachment/contentId` (microsoftgraph/microsoft-graph-explorer-v4#3916).
 */
export function readSelect(query: URLSearchParams, type: keyof typeof TYPES): Selection {
  const { base, own, derived } = TYPES[type];
  const [, text] = [...query].find(([name]) => /^\$?select$/i.test(name)) ?? [];
  if (text === undefined || text.trim() === '*') return { kind: 'selected', names: undefined };
  const known = new Map<string, string>([
    ...own.map((name): [string, string] => [name.toLowerCase(), name]),
    ...derived.map((name): [string, string] => [`microsoft.graph.${type}/${name}`.toLowerCase(), name]),
  ]);
  const asked = text.split(',').map((name) => name.trim());
  const unknown = asked.find((name) => !known.has(name.toLowerCase()));
  if (unknown !== undefined) {
    return {
      kind: 'unknown',
      message: `Could not find a property named '${unknown}' on type 'microsoft.graph.${base}'.`,
    };
  }
  return { kind: 'selected', names: asked.flatMap((name) => known.get(name.toLowerCase()) ?? []) };
}
