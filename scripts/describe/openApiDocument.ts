import type { Schema } from './bodySchemas.ts';

/** The OpenAPI 3.1 document; `addressed.ts` sets the server that answers. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, PathItem<OpenApiOperation>>>;
  readonly components: {
    readonly parameters: Readonly<Record<string, OpenApiParameter>>;
    readonly responses: Readonly<Record<string, OpenApiResponse>>;
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly securitySchemes: Readonly<Record<string, Schema>>;
  };
}

/** The operations of one path, by their methods. */
export type PathItem<T> = { readonly [method in 'get' | 'put' | 'post' | 'patch' | 'delete']?: T };

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly 'x-ms-visibility': 'important' | 'advanced' | 'internal';
  /** Empty where no credential is looked at; absent where those of the document hold. */
  readonly security?: OpenApiDocument['security'];
  readonly parameters: readonly (OpenApiParameter | Reference)[];
  readonly requestBody?: {
    readonly required: true;
    readonly content: {
      /** Raw bytes have no schema in OpenAPI 3.1. */
      readonly 'application/octet-stream'?: Readonly<Record<string, never>>;
      readonly 'application/json'?: { readonly schema: Reference };
    };
  };
  readonly responses: Readonly<Record<string, Reference>>;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description: string;
  readonly 'x-ms-summary': string;
  readonly 'x-ms-visibility'?: 'important' | 'advanced';
  readonly schema: Schema;
}

export interface OpenApiResponse {
  readonly description: string;
  readonly headers: Readonly<Record<string, { readonly description: string; readonly schema: Schema }>>;
  /** Absent where there is no body. */
  readonly content?: {
    readonly 'application/json': {
      readonly schema: Reference;
      readonly examples: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
    };
  };
}

export type Reference = { readonly $ref: string };

export function header(description: string) {
  return { description, schema: { type: 'string' } } as const;
}

/** The two ids that every response has. */
export function idHeaders(requestId: string) {
  return {
    'request-id': header(requestId),
    'client-request-id': header("The caller's id, or one made for it."),
  } as const;
}

export function jsonContent(schema: string, name: string, summary: string, value: unknown) {
  return {
    'application/json': {
      schema: { $ref: `#/components/schemas/${schema}` },
      examples: { [name]: { summary, value } },
    },
  } as const;
}
