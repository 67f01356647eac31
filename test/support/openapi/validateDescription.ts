import { validate } from '@readme/openapi-parser';

// Checks an OpenAPI or Swagger document by its specification: the published schema, and the rules that no schema can say.
// Arguments: the document's address. Prints {"valid", "specification", "errors"?, "warnings"} as JSON.

const [, , address = ''] = process.argv;
const response = await fetch(address); // The validator itself fetches nothing from a loopback address.
console.log(JSON.stringify(await validate(JSON.parse(await response.text()))));
