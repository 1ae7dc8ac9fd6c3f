import { hash } from 'node:crypto';
import { FrametapError } from '../errors.ts';
import type { AcceptProof, HeaderList, RequestHead, ResponseHead } from '../contract/session.ts';
import type { HandshakeViolationCode } from '../contract/violations.ts';
import { negotiatedDeflate, type NegotiatedDeflate } from './extensions.ts';
import { fieldElements, fieldValues, hasToken } from './head.ts';

/** RFC 6455 §1.3. */
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** Fields between a client and its proxy alone (RFC 9110 §11.7; Proxy-Connection is older than any RFC). */
const PROXY_FIELDS: ReadonlySet<string> = new Set(['proxy-connection', 'proxy-authorization', 'proxy-authenticate']);

/** Whether a request means to be an opening handshake, well made or not. */
export function isHandshake(head: RequestHead): boolean {
  return hasToken(head.headers, 'upgrade', 'websocket') || fieldValues(head.headers, 'sec-websocket-key').length > 0;
}

/**
 * What is wrong with a client's opening handshake, or null.
 * @see RFC 6455 §4.1 and §4.2.1
 */
export function checkClientHandshake(head: RequestHead): FrametapError | null {
  const { method, httpVersion, headers } = head;
  if (method !== 'GET')
    return new FrametapError('handshake-method', `An opening handshake must be a GET, not ${method}.`);
  if (httpVersion !== '1.1') {
    return new FrametapError('handshake-http-version', `An opening handshake needs HTTP/1.1, not HTTP/${httpVersion}.`);
  }
  if (!hasToken(headers, 'upgrade', 'websocket')) return new FrametapError('handshake-upgrade');
  if (!hasToken(headers, 'connection', 'upgrade')) return new FrametapError('handshake-connection');
  const hosts = fieldValues(headers, 'host');
  if (hosts.length !== 1 || hosts[0] === '') return new FrametapError('handshake-host');
  if (
    fieldValues(headers, 'transfer-encoding').length > 0 ||
    fieldValues(headers, 'content-length').some((length) => !/^0+$/.test(length))
  ) {
    return new FrametapError('handshake-body');
  }
  const versions = fieldValues(headers, 'sec-websocket-version');
  if (versions.length !== 1 || versions[0] !== '13') {
    const found = versions.length === 0 ? 'missing' : versions.join(', ');
    return new FrametapError('handshake-version', `Sec-WebSocket-Version is ${found}, not 13.`);
  }
  const keys = fieldValues(headers, 'sec-websocket-key');
  if (keys.length !== 1) {
    return new FrametapError('handshake-key', `There must be one Sec-WebSocket-Key, not ${keys.length}.`);
  }
  return KEY.test(keys[0] ?? '') ? null : new FrametapError('handshake-key');
}

/**
 * The request that goes to the server: every field of the client's, in its order and case, with our own key in the
 * place of the client's, and without what is meant for a proxy.
 * @param plan.key our 16 random bytes in Base64
 * @param plan.target in origin form
 * @param plan.host replaces the value of Host, where it is to be replaced
 */
export function serverRequest(
  client: RequestHead,
  plan: { readonly key: string; readonly target: string; readonly host?: string | undefined },
): RequestHead {
  const headers: (readonly [string, string])[] = [];
  for (const field of client.headers) {
    const name = field[0].toLowerCase();
    if (name === 'sec-websocket-key') headers.push([field[0], plan.key]);
    else if (name === 'host' && plan.host !== undefined) headers.push([field[0], plan.host]);
    else if (!PROXY_FIELDS.has(name)) headers.push(field);
  }
  return { method: client.method, target: plan.target, httpVersion: client.httpVersion, headers };
}

/** Sec-WebSocket-Accept for a key, which is ASCII (RFC 6455 §4.2.2). */
export function acceptFor(key: string): string {
  return hash('sha1', key + ACCEPT_GUID, 'base64');
}

export interface ServerAnswer {
  readonly proof: AcceptProof;
  readonly violations: readonly HandshakeViolationCode[];
  readonly subprotocol: string | null;
  /** Sec-WebSocket-Extensions as the server wrote it, several fields joined by a comma. */
  readonly extensions: string | null;
  readonly deflate: NegotiatedDeflate | null;
}

/**
 * Holds a server's 101 against the request it answers.
 * @see RFC 6455 §4.1, from "If the status code received from the server is not 101"
 */
export function checkServerAnswer(request: RequestHead, answer: ResponseHead): ServerAnswer {
  const violations: HandshakeViolationCode[] = [];
  const key = fieldValues(request.headers, 'sec-websocket-key')[0] ?? '';
  const accepts = fieldValues(answer.headers, 'sec-websocket-accept');
  const expected = acceptFor(key);
  const matches = accepts.length === 1 && accepts[0] === expected;
  if (!matches) violations.push('accept-mismatch');
  if (!hasToken(answer.headers, 'upgrade', 'websocket')) violations.push('upgrade-missing');
  if (!hasToken(answer.headers, 'connection', 'upgrade')) violations.push('connection-missing');

  const subprotocols = fieldValues(answer.headers, 'sec-websocket-protocol');
  const [chosen] = subprotocols;
  if (chosen !== undefined) {
    const offered = fieldElements(request.headers, 'sec-websocket-protocol');
    if (subprotocols.length > 1 || !offered.includes(chosen)) violations.push('subprotocol-not-offered');
  }
  const extensions = fieldValues(answer.headers, 'sec-websocket-extensions');
  const outcome = negotiatedDeflate(fieldValues(request.headers, 'sec-websocket-extensions'), extensions);
  violations.push(...outcome.problems);
  return {
    proof: { key, expected, received: accepts.length === 0 ? null : accepts.join(', '), matches },
    violations,
    subprotocol: subprotocols.length === 0 ? null : subprotocols.join(', '),
    extensions: extensions.length === 0 ? null : extensions.join(', '),
    deflate: outcome.deflate,
  };
}

/** The 101 for the client: the server's, field by field, with the accept value of the client's own key. */
export function clientAnswer(server: ResponseHead, accept: string): ResponseHead {
  const headers: HeaderList = server.headers.map((field) =>
    field[0].toLowerCase() === 'sec-websocket-accept' ? ([field[0], accept] as const) : field,
  );
  return { ...server, headers };
}
