import { readFileSync } from 'node:fs';
import path from 'node:path';
import { addressOpenApi, addressPage, addressSwagger } from '../../../functions/addressDescription.ts';
import { buildOpenApi } from '../../../scripts/describe/openApi.ts';
import { toSwagger } from '../../../scripts/describe/swagger.ts';

const PAGE = readFileSync(path.join(import.meta.dirname, '../../../scripts/describe/docs.html'), 'utf8');
const openApi = buildOpenApi();
const swagger = toSwagger(openApi);

describe.each([
  ['https://contoso.azurewebsites.net/api/openapi.json', 'https', 'contoso.azurewebsites.net'],
  ['http://contoso.azurewebsites.net/api/openapi.json', 'https', 'contoso.azurewebsites.net'],
  ['https://proxy.example:8443/api/openapi.json?x=1', 'https', 'proxy.example:8443'],
  ['http://localhost:7071/api/openapi.json', 'http', 'localhost:7071'],
  ['http://127.0.0.1:7071/api/openapi.json', 'http', '127.0.0.1:7071'],
  ['http://[::1]:7071/api/openapi.json', 'http', '[::1]:7071'],
  ['http://localhost.attacker.example/api/openapi.json', 'https', 'localhost.attacker.example'],
])('asked for at %s', (url, scheme, host) => {
  it('names that address in OpenAPI and changes nothing else', () => {
    const text = addressOpenApi(JSON.stringify(openApi), url);

    expect(JSON.parse(text)).toEqual({ ...openApi, servers: [{ url: `${scheme}://${host}/api` }] });
  });

  it(`lets ${scheme === 'http' ? 'people try operations' : 'nobody send anything'} on the page`, () => {
    const html = addressPage(PAGE, url);

    expect(html.match(/hide-console="(\w+)"/)?.[1]).toBe(scheme === 'http' ? 'false' : 'true');
    expect(html.replace('hide-console="false"', 'hide-console="true"')).toBe(PAGE);
  });

  it('names that address in Swagger and changes nothing else', () => {
    const text = addressSwagger(JSON.stringify(swagger), url);

    expect(JSON.parse(text)).toEqual({ ...swagger, host, schemes: [scheme] });
  });
});
