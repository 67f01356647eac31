import { app, type HttpHandler } from '@azure/functions';
import { registerErrorFallback } from '../../../functions/errorFallback.ts';

// Handlers that fail in every way that a handler can, behind the product's repair hook.

app.setup({ enableHttpStream: true });
registerErrorFallback();

/** Has the type `any`: a handler in JavaScript may return what its type forbids. */
const anything = JSON.parse('{ "null": null, "text": "no response" }');

const HANDLERS: Readonly<Record<string, HttpHandler>> = {
  throws: () => {
    throw new Error(`Thrown on purpose, next to a token: Bearer ${'x'.repeat(40)}.`);
  },
  rejects: () => Promise.reject(new TypeError('Rejected on purpose.')),
  throwsText: () => {
    throw 'A text, not an error.';
  },
  throwsNull: () => {
    throw null;
  },
  throwsUndefined: () => {
    throw undefined;
  },
  returnsNothing: async () => anything.nothing,
  returnsNull: async () => anything.null,
  returnsText: async () => anything.text,
  answers: async () => ({ jsonBody: { answered: true } }),
};

for (const [name, handler] of Object.entries(HANDLERS)) {
  app.http(name, { methods: ['GET', 'POST'], authLevel: 'anonymous', route: name, handler });
}
