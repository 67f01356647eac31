import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { listen } from '../../listen.ts';
import type { EmulatorCertificate } from '../common/certificate.ts';
import type { TokenChecker } from '../common/tokenRegistry.ts';
import { createErrorPlan } from '../errors/errorPlan.ts';
import type { PlayRequest } from '../errors/errorRequest.ts';
import { DEFAULT_SETTINGS, type GraphSettings, type GraphWorld } from './graphWorld.ts';
import { createMessageStore } from './mail/messageStore.ts';
import { createMailboxStore } from './mailboxStore.ts';
import { createRequestLog, openContext } from './requestLog.ts';
import { serveGraph } from './serveGraph.ts';
import { createSessionStore } from './sessionStore.ts';

export interface GraphEmulatorOptions extends Partial<GraphSettings> {
  readonly certificate: EmulatorCertificate;
  /** Knows the valid bearer tokens; a TokenRegistry is one. */
  readonly tokens: TokenChecker;
  /** 0 or absent: a free one. */
  readonly port?: number;
  /** Epoch milliseconds; used for expiry only. */
  readonly now?: () => number;
  /** Seed of the draws for errors played at a rate. */
  readonly seed?: number;
  /** How many requests are kept in `requests`, the newest; default 10,000. */
  readonly recordLimit?: number;
}

export type GraphEmulator = Awaited<ReturnType<typeof startGraphEmulator>>;

/** Longer than any client keeps an idle connection, so that the client closes it. */
const KEEP_ALIVE_MS = 120_000;

/** Starts Graph and the Outlook upload host on one HTTPS listener on 127.0.0.1. */
export async function startGraphEmulator(options: GraphEmulatorOptions) {
  const { certificate, tokens, port, now = Date.now, seed = 1, recordLimit = 10_000, ...given } = options;
  const settings: GraphSettings = { ...DEFAULT_SETTINGS, ...given };
  const log = createRequestLog(recordLimit);
  const sockets = new Map<number | undefined, Socket>();
  const mailboxes = createMailboxStore();
  const messages = createMessageStore(mailboxes, () => settings.mail, now);
  const world: GraphWorld = {
    settings,
    mailboxes,
    messages,
    sessions: createSessionStore(),
    errors: createErrorPlan(seed),
    tokens,
    now,
    url: '',
  };
  const tls = { cert: certificate.cert, key: certificate.key, keepAliveTimeout: KEEP_ALIVE_MS };
  const server = createServer(tls, (request, response) => {
    const connection = sockets.get(request.socket.remotePort);
    const context = openContext(log, request, response, new Date(now()), () => connection?.resetAndDestroy());
    void serveGraph(world, context);
  });
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket;
    sockets.set(remotePort, socket);
    socket.once('close', () => sockets.delete(remotePort));
    if (world.errors.takeHandshake()) socket.resetAndDestroy();
  });
  const listener = await listen(server, port);
  world.url = `https://localhost:${listener.port}`;
  return {
    /** `https://localhost:<port>` */
    url: world.url,
    port: listener.port,
    settings,
    requests: log.requests,
    /** The most Graph calls (not uploads) that were in flight for one mailbox at a time. */
    get maxConcurrentPerMailbox() {
      return log.maxConcurrent('call');
    },
    /** The most PUTs of chunks that were in flight for one mailbox at a time. */
    get maxConcurrentChunksPerMailbox() {
      return log.maxConcurrent('chunk');
    },
    addMailbox: mailboxes.addMailbox,
    attachments: mailboxes.attachments,
    /** The mails that were sent from a mailbox, oldest first. As below, the mailbox by id or user principal name. */
    sentMails: messages.sentMails,
    /** All messages of a mailbox, deleted ones included unless they are gone for good. */
    messages: messages.all,
    drafts: (mailbox: string) =>
      messages.all(mailbox).filter(({ isDraft, folder }) => isDraft && folder !== 'deleteditems'),
    /** Adds a message that a person wrote or received, and returns its immutable id. */
    addMessage: messages.addMessage,
    /** Changes members of a message behind the app's back. */
    changeMessage: messages.changeMessage,
    /** Plays an error on the next calls, with any ids. @throws PlayRequestError */
    play(request: PlayRequest): void {
      world.errors.play(request);
      // The client would reuse an idle connection without a handshake.
      if (request.error === 'tlsReset') server.closeIdleConnections();
    },
    /** Restores the initial state: no errors, records or sessions, first settings. */
    reset(): void {
      Object.assign(settings, DEFAULT_SETTINGS, given);
      for (const part of [mailboxes, messages, world.sessions, world.errors, log]) part.reset();
    },
    close: listener.close,
  };
}
