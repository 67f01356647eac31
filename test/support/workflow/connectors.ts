import { createServer, type IncomingMessage } from 'node:http';
import { listen } from '../../../local/listen.ts';

export interface Connectors {
  /** By the connections' names in the definitions. */
  readonly urls: Readonly<Record<'office365' | 'azureblob', string>>;
  /** The ids of the drafts that were sent. */
  readonly sent: readonly string[];
  reset(): void;
  close(): Promise<void>;
}

export interface ConnectorWorld {
  /** Makes a draft as the user who has signed in to the Outlook connection, and gives its id. */
  createDraft(subject: string): Promise<string>;
  /** The address of a file of the storage account, which reads it without more. */
  signedAddress(path: string): string;
}

/** The operations of Microsoft's connectors that the definitions use (learn.microsoft.com/connectors/office365, …/azureblob). */
export async function startConnectors({ createDraft, signedAddress }: ConnectorWorld): Promise<Connectors> {
  const sent: string[] = [];
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://connector');
    const body = await readJson(request);
    const draftId = /^\/office365\/Draft\/Send\/(.+)$/.exec(pathname)?.[1];
    if (draftId !== undefined) sent.push(decodeURIComponent(draftId));
    if (draftId !== undefined) return {};
    if (pathname === '/office365/Draft' && hasTexts(body, 'To', 'Subject', 'Body')) {
      return { id: await createDraft(body['Subject'] ?? '') };
    }
    const isForAddress = /^\/azureblob\/v2\/datasets\/[^/]+\/CreateSharedLinkByPath$/.test(pathname);
    if (isForAddress && hasTexts(body, 'Permissions', 'AccessProtocol', 'ExpiryTime')) {
      return { WebUrl: signedAddress(searchParams.get('path') ?? '') };
    }
    return undefined;
  };
  const server = createServer(async (request, response) => {
    const result = request.method === 'POST' ? await answer(request) : undefined;
    const json = JSON.stringify(result ?? { error: { code: 'NotFound' } });
    response.writeHead(result === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(json);
  });
  const { port, close } = await listen(server);
  const url = `http://127.0.0.1:${port}`;
  return {
    urls: { office365: `${url}/office365`, azureblob: `${url}/azureblob` },
    sent,
    reset: () => sent.splice(0),
    close,
  };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = await request.toArray();
  const text = Buffer.concat(chunks).toString();
  return text === '' ? undefined : JSON.parse(text);
}

function hasTexts(body: unknown, ...names: string[]): body is Record<string, string> {
  return names.every(
    (name) => typeof body === 'object' && body !== null && typeof Reflect.get(body, name) === 'string',
  );
}
