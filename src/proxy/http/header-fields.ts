import type { IncomingMessage } from 'node:http';
import { formatAuthority } from '../../protocol/request-target.ts';
import type { Origin } from '../leg.ts';

/** Names and values by turns, in the order, case and number in which they came: Node's `rawHeaders`. */
export type HeaderFields = readonly string[];

/**
 * Fields that are meant for the next hop alone.
 * @see RFC 9110 §7.6.1, §11.7
 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'upgrade',
]);

/** Dropping one of these would change where the message ends or whom it is for, so Connection cannot name them. */
const NEVER_LISTED = new Set(['content-length', 'transfer-encoding', 'host']);

export function* eachField(fields: HeaderFields): Generator<[name: string, value: string]> {
  for (let index = 0; index + 1 < fields.length; index += 2) yield [fields[index] ?? '', fields[index + 1] ?? ''];
}

export function fieldValues(fields: HeaderFields, lowerCaseName: string): readonly string[] {
  return [...eachField(fields)].filter(([name]) => name.toLowerCase() === lowerCaseName).map(([, value]) => value);
}

/** True where the last transfer coding is chunked, which is what delimits the message. @see RFC 9112 §6.3 */
export function isChunked(fields: HeaderFields): boolean {
  return /(?:^|,)[ \t]*chunked[ \t]*$/i.test(fieldValues(fields, 'transfer-encoding').join(','));
}

/** The fields that go on to the other end. */
function selectEndToEnd(fields: HeaderFields): [string, string][] {
  const listed = new Set(
    fieldValues(fields, 'connection')
      .flatMap((value) => value.split(','))
      .map((token) => token.trim().toLowerCase())
      .filter((token) => !NEVER_LISTED.has(token)),
  );
  return [...eachField(fields)].flatMap(([name, value]): [string, string][] => {
    const key = name.toLowerCase();
    return HOP_BY_HOP.has(key) || listed.has(key) ? [] : [[name, value]];
  });
}

export interface RequestFieldsOptions {
  readonly origin: Origin;
  /** Takes the place of the Host field's value. */
  readonly host?: string | undefined;
}

/** The fields of the request that goes up. */
export function selectRequestFields(request: IncomingMessage, { origin, host }: RequestFieldsOptions): HeaderFields {
  const selected: string[] = [];
  let hasHost = false;
  for (const [name, value] of selectEndToEnd(request.rawHeaders)) {
    const key = name.toLowerCase();
    // RFC 9110 §10.1.1: what an HTTP/1.0 client says with Expect is to be ignored; it could not read the answer.
    if (key === 'expect' && isHttp10(request)) continue;
    if (key === 'host') {
      if (host !== undefined && hasHost) continue;
      hasHost = true;
      selected.push(name, host ?? value);
    } else {
      selected.push(name, value);
    }
  }
  return hasHost ? selected : ['Host', host ?? formatAuthority(origin), ...selected];
}

/** True for a client that knows neither chunks nor interim responses. */
export function isHttp10(request: IncomingMessage): boolean {
  return request.httpVersionMajor === 1 && request.httpVersionMinor === 0;
}

export interface ResponseFields {
  readonly fields: HeaderFields;
  /** How the client finds the end of the body: only the end of the connection tells it in the last case. */
  readonly delimitedBy: 'nothing-follows' | 'content-length' | 'chunks' | 'connection-close';
}

/** The fields of the response that goes down, framed for what the client understands. */
export function selectResponseFields(response: IncomingMessage, request: IncomingMessage): ResponseFields {
  const status = response.statusCode ?? 0;
  const bodyless = request.method === 'HEAD' || status === 204 || status === 304;
  const received = response.rawHeaders;
  const coded = fieldValues(received, 'transfer-encoding').length > 0;
  const chunked = isChunked(received) && !isHttp10(request);
  const sized = !coded && fieldValues(received, 'content-length').length > 0;
  const fields = selectEndToEnd(received).filter(([name]) => {
    const key = name.toLowerCase();
    if (key === 'transfer-encoding') return !isHttp10(request);
    // Announced trailers can only follow chunks; Node refuses to write such a head otherwise.
    return key !== 'trailer' || (chunked && !bodyless);
  });
  // A body that ended with the server's connection goes on in chunks, so that the client's connection can be kept:
  // Node adds the field where neither a length nor a coding is given.
  const chunksAdded = !coded && !sized && !isHttp10(request);
  const delimitedBy = bodyless
    ? 'nothing-follows'
    : sized
      ? 'content-length'
      : chunked || chunksAdded
        ? 'chunks'
        : 'connection-close';
  return { fields: fields.flat(), delimitedBy };
}
