import { STATUS_CODES, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { FrametapError } from '../../errors.ts';
import type { Origin } from '../leg.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { answerFailure, nameFailure } from './failure.ts';
import {
  eachField,
  fieldValues,
  isChunked,
  isHttp10,
  selectRequestFields,
  selectResponseFields,
  type HeaderFields,
  type ResponseFields,
} from './header-fields.ts';
import type { HttpProxy } from './http-proxy.ts';

/** Browsers take this much (Chromium's limit); Node's own default of 16 KiB would refuse what a page gets directly. */
const MAX_RESPONSE_HEAD_BYTES = 256 * 1024;

/** @see RFC 9110 §9.2.2 */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * What Node's ClientRequest has at run time and its types leave out. The head is handed over as a whole because every
 * public way changes it: setHeader groups repeated fields under one spelling, and a head with Expect is written as
 * UTF-8 although it holds Latin-1 bytes.
 */
interface ClientRequestInside {
  agent: ConnectionPool;
  path: string;
  maxHeaderSize: number;
  _header: string;
}

export interface ExchangeOptions {
  readonly httpProxy: HttpProxy;
  readonly pool: ConnectionPool;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly origin: Origin;
  readonly target: string;
  readonly host: string | undefined;
  /** Called when the server's answer could not be had, or not as it should be. */
  readonly onFailure: (error: FrametapError) => void;
}

/** One request on its way to the server, and the answer on its way back. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #fields: HeaderFields;
  #upstreamRequest: ClientRequest | undefined;
  #upstreamResponse: IncomingMessage | undefined;
  #delimitedBy: ResponseFields['delimitedBy'] = 'nothing-follows';
  #attempts = 0;
  #bytesReadBefore = 0;
  #interim = false;
  #failed = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#fields = selectRequestFields(options.request, options);
  }

  start(): void {
    const { request, response } = this.#options;
    // Before http-proxy's pipe listens: its `end` ends the upstream request, and the trailers have to be there by then.
    request.on('end', () => {
      try {
        this.#upstreamRequest?.addTrailers([...eachField(request.rawTrailers)]);
      } catch (error) {
        this.#fail(error);
      }
    });
    response.on('error', (error) => this.#fail(error));
    response.on('close', () => {
      if (!response.writableFinished) this.#upstreamRequest?.destroy();
    });
    this.#attempt();
  }

  get #hasBody(): boolean {
    const fields = this.#fields;
    return isChunked(fields) || fieldValues(fields, 'content-length').some((value) => Number(value) > 0);
  }

  #attempt(): void {
    const { httpProxy, request, response } = this.#options;
    const attempt = ++this.#attempts;
    const options = {
      // The pool speaks TLS where it has to, so http-proxy sees one plain target, and its name is never used.
      target: { protocol: 'http:', host: 'origin.invalid', port: 80 },
      agent: { keepAlive: true, addRequest: (upstreamRequest: ClientRequest) => this.#dispatch(upstreamRequest) },
      ignorePath: true,
      toProxy: true,
    };
    // http-proxy edits and copies the header fields that it finds. It gets none: #dispatch sets all of them.
    const headers = request.headers;
    request.headers = {};
    try {
      httpProxy.web(request, response, options, (error) => {
        if (attempt === this.#attempts) this.#fail(error);
      });
    } catch (error) {
      this.#fail(error);
    } finally {
      request.headers = headers;
    }
    // The head goes up at once: a body may come late, with Expect only after the server has seen the head.
    if (this.#hasBody) this.#upstreamRequest?.write(Buffer.alloc(0));
  }

  /** Stands where Node asks its Agent for a connection: nothing of the request has been written yet. */
  #dispatch(upstreamRequest: ClientRequest): void {
    const { pool, request, origin, target } = this.#options;
    const inside = upstreamRequest as unknown as ClientRequestInside;
    const method = request.method ?? 'GET';
    this.#upstreamRequest = upstreamRequest;
    inside.agent = pool;
    inside.path = target;
    inside.maxHeaderSize = MAX_RESPONSE_HEAD_BYTES;
    inside._header = formatHead(`${method} ${target} HTTP/1.1`, this.#fields);
    upstreamRequest.maxHeadersCount = 0;
    upstreamRequest.chunkedEncoding = isChunked(this.#fields);
    upstreamRequest.once('socket', (socket) => {
      this.#bytesReadBefore = socket.bytesRead;
      // Whoever opened the connection may have paused it, and a listener for data does not undo that.
      socket.resume();
    });
    upstreamRequest.on('information', (interim: InterimResponse) => this.#forwardInterim(interim));
    upstreamRequest.once('response', (upstreamResponse: IncomingMessage) => this.#forwardResponse(upstreamResponse));
    upstreamRequest.once('upgrade', (_: IncomingMessage, socket: Socket) => {
      socket.destroy();
      this.#fail(new FrametapError('upstream-bad-response', 'The server switched protocols without being asked to.'));
    });
    upstreamRequest.once('close', () => {
      // What is left of an upload that nobody reads any more is read and dropped, so that the client gets to the answer.
      if (this.#upstreamRequest !== upstreamRequest) return;
      request.unpipe(upstreamRequest);
      request.resume();
    });
    pool.assign(upstreamRequest, origin);
  }

  /** @see RFC 9110 §15.2 */
  #forwardInterim({ statusCode, statusMessage, rawHeaders }: InterimResponse): void {
    const { request, response } = this.#options;
    if (isHttp10(request) || response.headersSent) return;
    this.#interim = true;
    // They are optional: a client that does not take the last one is not sent more.
    if (response.socket?.writableNeedDrain === true) return;
    if (statusCode === 100) return response.writeContinue();
    // Node can write a 103 with Link fields only. Without a socket, earlier responses of a pipeline are still under
    // way; interim responses are optional, so this one is left out.
    const head = formatHead(`HTTP/1.1 ${statusCode} ${statusMessage}`, rawHeaders);
    response.socket?.write(Buffer.from(head, 'latin1'));
  }

  #forwardResponse(upstreamResponse: IncomingMessage): void {
    const { request, response, onFailure } = this.#options;
    this.#upstreamResponse = upstreamResponse;
    upstreamResponse.on('error', ignoreCut);
    const { fields, delimitedBy } = selectResponseFields(upstreamResponse, request);
    this.#delimitedBy = delimitedBy;
    const status = upstreamResponse.statusCode ?? 0;
    response.sendDate = false;
    if (delimitedBy === 'connection-close') response.shouldKeepAlive = false;
    // HTTP/1.1 connections stay open unless something else is said, so nothing has to be added to say it. Where the
    // owner of the client's connection has said `close`, that stays.
    if (response.shouldKeepAlive && !isHttp10(request) && !response.hasHeader('Connection')) {
      response.removeHeader('Connection');
    }
    try {
      response.writeHead(status, upstreamResponse.statusMessage ?? STATUS_CODES[status] ?? '', [...fields]);
    } catch (error) {
      return this.#fail(
        new FrametapError('upstream-bad-response', "The server's answer has a head that HTTP/1.1 does not allow.", {
          cause: error,
        }),
      );
    }
    // Not flushHeaders(): that writes the head as UTF-8, and it holds Latin-1 bytes.
    if (delimitedBy !== 'nothing-follows') response.write(Buffer.alloc(0));
    upstreamResponse.on('end', () => {
      try {
        response.addTrailers([...eachField(upstreamResponse.rawTrailers)]);
      } catch (error) {
        onFailure(new FrametapError('upstream-bad-response', 'A trailer field was left out.', { cause: error }));
      }
      response.end();
      this.#continueUpload();
    });
    upstreamResponse.on('close', () => {
      if (!upstreamResponse.complete) this.#fail(new FrametapError('upstream-closed', CUT_OFF));
    });
    upstreamResponse.pipe(response, { end: false });
  }

  /**
   * A server may answer in full before it has the whole request, and read on. Node counts both messages as done with
   * then: it tells the upload neither that there is room again nor that the client has gone.
   */
  #continueUpload(): void {
    const { request } = this.#options;
    const upstreamRequest = this.#upstreamRequest;
    const upstreamSocket = upstreamRequest?.socket;
    if (upstreamRequest === undefined || upstreamSocket == null || upstreamRequest.writableFinished) return;
    const clientSocket = request.socket;
    const tellRoom = (): void => void upstreamRequest.emit('drain');
    const giveUp = (): void => void upstreamRequest.destroy();
    upstreamSocket.on('drain', tellRoom);
    clientSocket.once('close', giveUp);
    upstreamRequest.once('close', () => {
      upstreamSocket.off('drain', tellRoom);
      clientSocket.off('close', giveUp);
    });
  }

  #fail(error: unknown): void {
    const { request, response, pool, origin, onFailure } = this.#options;
    if (this.#failed) return;
    // A response under way says itself, by its `close`, whether it came to its end. Until then a failed upload is only
    // a server that did not want the rest.
    if (response.headersSent && this.#upstreamResponse?.closed === false) return;
    if (response.writableEnded) return;
    if (response.destroyed || request.errored != null) {
      this.#upstreamRequest?.destroy();
      response.destroy();
      return;
    }
    if (this.#mayRetry(error)) {
      pool.dropIdle(origin);
      this.#attempt();
      return;
    }
    this.#failed = true;
    const failure = nameFailure(error);
    onFailure(failure);
    this.#upstreamRequest?.destroy();
    if (response.headersSent) this.#cutOff();
    else answerFailure(request, response, failure);
  }

  /** A kept connection that the server closed as the request went out: nothing was lost by sending it again. */
  #mayRetry(error: unknown): boolean {
    const { request, response } = this.#options;
    const upstreamRequest = this.#upstreamRequest;
    return (
      this.#attempts === 1 &&
      upstreamRequest?.reusedSocket === true &&
      nameFailure(error).code === 'upstream-closed' &&
      upstreamRequest.socket?.bytesRead === this.#bytesReadBefore &&
      !this.#interim &&
      !response.headersSent &&
      IDEMPOTENT.has(request.method ?? '') &&
      !this.#hasBody
    );
  }

  /** Lets the client see that the body is not complete: what came is delivered, the end of the message is not. */
  #cutOff(): void {
    const { response } = this.#options;
    const { socket } = response;
    if (socket === null) response.destroy();
    else if (this.#delimitedBy !== 'connection-close') socket.destroySoon();
    // Here an orderly end would say that the body is complete.
    else if (socket instanceof TLSSocket) socket.destroy();
    else socket.resetAndDestroy();
  }
}

interface InterimResponse {
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly rawHeaders: HeaderFields;
}

const CUT_OFF = 'The server closed the connection in the middle of its answer.';

const ignoreCut = (): void => {
  // `close` follows, and says whether the response was complete.
};

function formatHead(startLine: string, fields: HeaderFields): string {
  let head = `${startLine}\r\n`;
  for (const [name, value] of eachField(fields)) head += `${name}: ${value}\r\n`;
  return `${head}\r\n`;
}
