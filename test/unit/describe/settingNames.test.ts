import { readFileSync } from 'node:fs';
import path from 'node:path';
import { buildOpenApi } from '../../../scripts/describe/openApi.ts';
import { toSwagger } from '../../../scripts/describe/swagger.ts';
import { SETTINGS } from '../../../shared/config/settings.ts';

const reference = readFileSync(path.join(import.meta.dirname, '../../../docs/configuration.md'), 'utf8');

describe('the names of settings', () => {
  it('are all in docs/configuration.md, and no others', () => {
    const rows = [...reference.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);

    expect(rows).toEqual(Object.keys(SETTINGS));
  });

  it('are the only words of their form in the description of the API', () => {
    const document = buildOpenApi();
    const text = JSON.stringify([document, toSwagger(document)]);

    const named = new Set(text.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g));

    expect([...named].filter((name) => !(name in SETTINGS))).toEqual([]);
    expect(named).toContain('MAX_TODO_ATTACHMENT_BYTES');
  });
});
