import fastifySwagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastifyWebsocket from '@fastify/websocket';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyError, type FastifyReply } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { CaptureReader } from '../capture/capture-reader.ts';
import type { MessageReader } from '../capture/message-reader.ts';
import type { LoadedTypes } from '../decode/proto/loaded-types.ts';
import { FrametapError } from '../errors.ts';
import { bracketed, createAuth, ownAuthorities, type Auth } from './auth.ts';
import { answerFor, errorAnswer } from './errors.ts';
import { registerGuard } from './guard.ts';
import { listen } from './listen.ts';
import { createLive } from './live.ts';
import { registerPages } from './pages.ts';
import type { Api, ListenAddress, RouteContext } from './route-context.ts';
import { registerDecoded } from './routes/decoded.ts';
import { registerExport } from './routes/export.ts';
import { registerFrames } from './routes/frames.ts';
import { registerHealth } from './routes/health.ts';
import { registerMessages } from './routes/messages.ts';
import { registerAttachments } from './routes/attachments.ts';
import { registerPartner } from './routes/partner.ts';
import { registerProtos } from './routes/protos.ts';
import { registerSessions } from './routes/sessions.ts';
import { registerStatus } from './routes/status.ts';
import { compileValidator } from './validation.ts';

const MAX_INBOUND_MESSAGE_BYTES = 64 * 1024;
const MAX_BODY_BYTES = 64 * 1024;

/** What to put in a URL for an address that means all of them. */
const WILDCARDS: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

export interface DashboardOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The port was asked for: if it is taken, that is an error, and no other is tried. */
  readonly portIsExplicit: boolean;
  readonly token: string;
  readonly reader: CaptureReader;
  readonly messages: MessageReader;
  readonly types: LoadedTypes;
  readonly caCertificatePem: string;
  readonly proxyAddress: () => ListenAddress;
  readonly version: string;
  readonly command: string;
  readonly logger: FastifyBaseLogger;
  /** The folder of the built dashboard. */
  readonly webRoot: string;
  /** The one-time address has been used; here is the next. */
  readonly onNewOpenUrl?: (openUrl: string) => void;
}

export interface Dashboard extends ListenAddress {
  /** Where it really listens: a name may stand for several addresses. */
  readonly boundTo: readonly { readonly address: string; readonly port: number }[];
  /** The address that logs a browser in, once: another one after each use. */
  readonly openUrl: string;
  /** `name=value` of the cookie by which a browser is known. */
  readonly cookie: string;
  /** Closes dashboards with 1001, and the port. */
  stop(): Promise<void>;
}

/** What came is no HTTP request, so there is no reply to send by: the answer goes to the socket. */
function answerNoRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const { status, body } = errorAnswer(late ? 'head-timeout' : 'bad-request');
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
}

/**
 * Serves dashboard, API and live stream.
 * @throws {FrametapError} `port-taken`, `bind-failed`
 */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { host, token, reader, logger } = options;
  const startedMs = performance.now();
  const app: Api = Fastify({
    loggerInstance: logger,
    // A request's line can carry the token.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    frameworkErrors: (error, _request, reply) => {
      const { status, body } = answerFor(error);
      void (reply as FastifyReply).code(status).send(body);
    },
    clientErrorHandler: answerNoRequest,
  })
    .withTypeProvider<TypeBoxTypeProvider>()
    .setValidatorCompiler(compileValidator)
    // Answers are contract types: their schemas document them, and do not cut what is sent.
    .setSerializerCompiler(() => JSON.stringify);

  const live = createLive({ reader, onFault: (error) => logger.error({ err: error }, 'live stream') });
  // Known once the port is: until then nobody is let in.
  const bound: { address?: ListenAddress; auth?: Auth; authorities: ReadonlySet<string> } = { authorities: new Set() };
  let stopping = false;
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new FrametapError('stopped', 'Frametap is starting.');
    return value;
  };
  const openUrl = (): string => `${started(bound.address).url}?token=${started(bound.auth).loginCode()}`;

  app.setErrorHandler((error: FastifyError | FrametapError, request, reply) => {
    const { status, body, fault } = answerFor(error);
    // A caller that has gone ends the work for it: that is no fault.
    if (fault && !reply.raw.destroyed) logger.error({ err: error, route: request.routeOptions.url }, 'dashboard route');
    return reply.code(status).type('application/json; charset=utf-8').send(body);
  });
  app.setNotFoundHandler((_request, reply) => {
    const { status, body } = errorAnswer('not-found');
    return reply.code(status).send(body);
  });
  await app.register(fastifyWebsocket, {
    options: { maxPayload: MAX_INBOUND_MESSAGE_BYTES, perMessageDeflate: false },
    errorHandler: (error, socket) => {
      logger.debug({ err: error }, 'live stream: connection lost');
      socket.terminate();
    },
    preClose: (done) => void live.stop().then(() => done()),
  });
  registerGuard(app, {
    auth: () => started(bound.auth),
    authorities: () => bound.authorities,
    onLoginCodeUsed: () => options.onNewOpenUrl?.(openUrl()),
  });
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Frametap', version: options.version },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
  });
  const context: RouteContext = {
    reader,
    live,
    messages: options.messages,
    types: options.types,
    version: options.version,
    command: options.command,
    caCertificatePem: options.caCertificatePem,
    proxyAddress: options.proxyAddress,
    dashboardAddress: () => started(bound.address),
    uptimeMs: () => Math.round(performance.now() - startedMs),
  };
  // The document of the API is made of the routes that are registered after it.
  await app.after();
  registerStatus(app, context);
  registerSessions(app, context);
  registerFrames(app, context);
  registerMessages(app, context);
  registerDecoded(app, context);
  registerPartner(app, context);
  registerAttachments(app, context);
  registerProtos(app, context);
  registerExport(app, context);
  registerHealth(app, { ready: () => !stopping });
  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger());
  app.get('/api/live', { websocket: true }, (socket) => live.add(socket));
  await registerPages(app, options.webRoot);

  const port = await listen(app, options);
  const auth = (bound.auth = createAuth({ token, port }));
  bound.authorities = ownAuthorities(host, port);
  const address = (bound.address = { host, port, url: `http://${bracketed(WILDCARDS.get(host) ?? host)}:${port}/` });

  let stopped: Promise<void> | undefined;
  return {
    ...address,
    boundTo: app.addresses().filter((one): one is AddressInfo => typeof one !== 'string'),
    get openUrl() {
      return openUrl();
    },
    cookie: auth.cookie,
    stop() {
      stopping = true;
      stopped ??= app.close();
      return stopped;
    },
  };
}
