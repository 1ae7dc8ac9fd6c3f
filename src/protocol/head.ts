import { FrametapError, type ErrorCode } from '../errors.ts';
import type { HeaderList, RequestHead, ResponseHead } from '../contract/session.ts';

/** Start line and fields together, blank line included. Browsers and servers stop at 8 to 256 KiB. */
export const MAX_HEAD_BYTES = 64 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^\0-\x20\x7f]+) HTTP\/(\d\.\d)$/;
const STATUS_LINE = /^HTTP\/(\d\.\d) ([1-9]\d\d)(?: ([^\0\r]*))?$/;

export interface HeadBytes {
  /** Everything up to and with the blank line. */
  readonly head: Buffer;
  /** What came after it. Borrowed from the last chunk. */
  readonly rest: Buffer;
}

/**
 * Collects the bytes of one head, in chunks of any size.
 * A line may end in CRLF or in a bare LF (RFC 9112 §2.2).
 */
export class HeadReader {
  #held: Buffer = EMPTY;
  #length = 0;
  #scanned = 0;
  #started = false;

  /**
   * Returns the head once its blank line has come, else null. The reader is used up then.
   * @throws {FrametapError} `head-too-large` for more than `MAX_HEAD_BYTES` without a blank line
   */
  push(chunk: Uint8Array): HeadBytes | null {
    const first = this.#length === 0;
    if (first) {
      this.#held = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      this.#length = chunk.byteLength;
    } else {
      this.#append(chunk);
    }
    const end = this.#findEnd();
    if (end < 0 ? this.#length > MAX_HEAD_BYTES : end > MAX_HEAD_BYTES) throw new FrametapError('head-too-large');
    // The first chunk belongs to the caller, who may use it again.
    if (end < 0 && first) this.#held = Buffer.from(this.#held);
    return end < 0 ? null : { head: this.#held.subarray(0, end), rest: this.#held.subarray(end, this.#length) };
  }

  /** All bytes so far. Borrowed. */
  get bytes(): Buffer {
    return this.#held.subarray(0, this.#length);
  }

  #append(chunk: Uint8Array): void {
    const length = this.#length + chunk.byteLength;
    if (length > this.#held.byteLength) {
      // Doubling: a head that comes byte by byte costs no more than twice its size.
      const grown = Buffer.allocUnsafe(Math.max(length, this.#held.byteLength * 2, 1024));
      this.#held.copy(grown, 0, 0, this.#length);
      this.#held = grown;
    }
    this.#held.set(chunk, this.#length);
    this.#length = length;
  }

  /** Index after the blank line, or -1. Empty lines before the start line do not count (RFC 9112 §2.2). */
  #findEnd(): number {
    const bytes = this.#held;
    const length = this.#length;
    let at = this.#scanned;
    if (!this.#started) {
      while (at < length && (bytes[at] === LF || bytes[at] === CR)) at++;
      this.#started = at < length;
    }
    while (at < length) {
      const lf = bytes.indexOf(LF, at);
      if (lf < 0 || lf >= length) {
        at = length;
        break;
      }
      const next = bytes[lf + 1] === CR ? lf + 2 : lf + 1;
      if (next >= length) {
        at = lf;
        break;
      }
      if (bytes[next] === LF) return next + 1;
      at = lf + 1;
    }
    this.#scanned = at;
    return -1;
  }
}
const EMPTY = Buffer.alloc(0);

/** What the first bytes of a connection are. `more`: too few to tell. */
export type Opening = 'tls' | 'http' | 'http2' | 'other' | 'more';

/** Tells by its first bytes what a client speaks; `http` as soon as the whole request line has come. */
export function sniffOpening(bytes: Uint8Array): Opening {
  // TLS: content type handshake (RFC 8446 §5.1).
  if (bytes[0] === 0x16) return 'tls';
  let start = 0;
  while (bytes[start] === CR || bytes[start] === LF) start++;
  const end = bytes.indexOf(LF, start);
  const length = end < 0 ? Math.min(bytes.length, start + MAX_HEAD_BYTES) : end;
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, length);
  if (end >= 0) {
    const trimmed = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (trimmed === 'PRI * HTTP/2.0') return 'http2';
    return REQUEST_LINE.test(trimmed) ? 'http' : 'other';
  }
  return REQUEST_LINE_START.test(line) ? 'more' : 'other';
}
const REQUEST_LINE_START = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}(?: [^\0-\x1f\x7f]*\r?)?)?$/;

/**
 * Reads a request's head (blank line included).
 * @throws {FrametapError} `bad-request`
 * @see RFC 9112 §3
 */
export function parseRequestHead(bytes: Uint8Array): RequestHead {
  const lines = new HeadLines(bytes, 'bad-request');
  const match = REQUEST_LINE.exec(lines.start);
  if (match === null) {
    throw new FrametapError('bad-request', `This is no HTTP request line: ${quote(lines.start)}`);
  }
  return {
    method: match[1] ?? '',
    target: match[2] ?? '',
    httpVersion: match[3] ?? '',
    headers: lines.fields(),
  };
}

/**
 * Reads a response's head (blank line included).
 * @throws {FrametapError} `upstream-bad-response`
 * @see RFC 9112 §4
 */
export function parseResponseHead(bytes: Uint8Array): ResponseHead {
  const lines = new HeadLines(bytes, 'upstream-bad-response');
  const match = STATUS_LINE.exec(lines.start);
  if (match === null) {
    throw new FrametapError('upstream-bad-response', `The server's answer is no HTTP: ${quote(lines.start)}`);
  }
  return {
    httpVersion: match[1] ?? '',
    status: Number(match[2]),
    reason: match[3] ?? '',
    headers: lines.fields(),
  };
}

class HeadLines {
  readonly start: string;
  readonly #text: string;
  readonly #code: ErrorCode;
  #at = 0;

  constructor(bytes: Uint8Array, code: ErrorCode) {
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    this.#code = code;
    let line = this.#next();
    while (line === '' && this.#at < this.#text.length) line = this.#next();
    this.start = line;
  }

  fields(): HeaderList {
    const fields: (readonly [string, string])[] = [];
    for (;;) {
      const line = this.#next();
      if (line === '') return fields;
      const colon = line.indexOf(':');
      const name = colon < 0 ? line : line.slice(0, colon);
      if (!TOKEN.test(name)) throw new FrametapError(this.#code, fieldProblem(line, colon));
      const value = trim(line, colon + 1);
      if (colon < 0 || value.includes('\0') || value.includes('\r')) {
        throw new FrametapError(this.#code, `A header field is malformed: ${quote(line)}`);
      }
      fields.push([name, value]);
    }
  }

  #next(): string {
    const text = this.#text;
    const lf = text.indexOf('\n', this.#at);
    if (lf < 0) {
      this.#at = text.length;
      return '';
    }
    const end = lf > this.#at && text.charCodeAt(lf - 1) === CR ? lf - 1 : lf;
    const line = text.slice(this.#at, end);
    this.#at = lf + 1;
    return line;
  }
}

function fieldProblem(line: string, colon: number): string {
  if (line.startsWith(' ') || line.startsWith('\t')) {
    return `A header field is folded over two lines, which RFC 9112 §5.2 forbids: ${quote(line)}`;
  }
  if (colon > 0 && /[ \t]$/.test(line.slice(0, colon))) {
    return `There is white space before the colon of a header field (RFC 9112 §5.1): ${quote(line)}`;
  }
  return `A header field is malformed: ${quote(line)}`;
}

/** Optional white space is SP and HTAB alone (RFC 9110 §5.6.3): String.trim would take latin1 bytes too. */
function trim(text: string, from: number): string {
  let start = from;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}
const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

function quote(line: string): string {
  const shown = line.length > 60 ? `${line.slice(0, 60)}…` : line;
  return JSON.stringify(shown.replace(/[^\x20-\x7e…]/g, '?'));
}

/** A request's head, blank line included: to be sent as latin1. */
export function serializeRequestHead(head: RequestHead): string {
  return `${head.method} ${head.target} HTTP/${head.httpVersion}\r\n${fieldLines(head.headers)}`;
}

/** A response's head, blank line included: to be sent as latin1. */
export function serializeResponseHead(head: ResponseHead): string {
  return `HTTP/${head.httpVersion} ${head.status} ${head.reason}\r\n${fieldLines(head.headers)}`;
}

function fieldLines(headers: HeaderList): string {
  let text = '';
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}

/** Values of all fields of this name (lower case), in order. */
export function fieldValues(headers: HeaderList, name: string): string[] {
  const values: string[] = [];
  for (const [other, value] of headers) {
    if (other.length === name.length && other.toLowerCase() === name) values.push(value);
  }
  return values;
}

/** True where a comma-separated field holds this token (lower case); tokens compare without case. */
export function hasToken(headers: HeaderList, name: string, token: string): boolean {
  return headers.some(([other, value]) => {
    if (other.length !== name.length || other.toLowerCase() !== name) return false;
    return value.toLowerCase() === token || value.split(',').some((part) => trim(part, 0).toLowerCase() === token);
  });
}

/** The elements of a comma-separated field, trimmed, empty ones left out (RFC 9110 §5.6.1). */
export function fieldElements(headers: HeaderList, name: string): string[] {
  return fieldValues(headers, name)
    .flatMap((value) => value.split(','))
    .map((part) => trim(part, 0))
    .filter((part) => part !== '');
}
