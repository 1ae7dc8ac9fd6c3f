import type {
  AcceptProof,
  CloseFrame,
  CloseRecord,
  Fault,
  HandshakeRecord,
  HeaderList,
  RequestHead,
  ResponseHead,
  SessionViolation,
  Timings,
  TlsInfo,
} from '../contract/session.ts';
import type { SummaryFacts } from './session-summary.ts';

/*
 * What is known of a session, as one text: as objects a browser's handshake alone costs about 10 KiB, so packed all of
 * it costs about 3, outside of the JavaScript heap. It is opened when somebody looks.
 */

/** What the opening of a session makes known. */
export interface Opening {
  readonly server: { readonly address: string; readonly port: number; readonly tls: TlsInfo | null };
  readonly clientTls: TlsInfo | null;
  readonly timingsMs: Timings;
  readonly handshake: HandshakeRecord;
  readonly refusalBody: string | null;
  readonly proof: { readonly client: AcceptProof; readonly server: AcceptProof };
}

/** What a session was when it ended. */
export interface EndedFacts {
  readonly summary: SummaryFacts;
  /** From the opening to the first frame, in milliseconds. */
  readonly firstFrame: number | null;
  readonly violations: readonly SessionViolation[];
}

/**
 * A part a line: what is no head, then for each head the number of its lines and those, start line first. Parts of heads
 * are latin1 without a line feed, and so is what is taken from them; the rest is JSON.
 */
export function packOpening({ server, clientTls, timingsMs, handshake, refusalBody, proof }: Opening): string {
  const lines = [server.address, String(server.port), json(server.tls), json(clientTls), json(refusalBody)];
  const { dns, connect, tls, upgrade } = timingsMs;
  lines.push(String(dns), String(connect), String(tls), String(upgrade));
  pushProof(lines, proof.client);
  pushProof(lines, proof.server);
  pushRequest(lines, handshake.clientRequest);
  pushRequest(lines, handshake.serverRequest);
  pushResponse(lines, handshake.serverResponse);
  pushResponse(lines, handshake.clientResponse);
  return lines.join('\n');
}

export function unpackOpening(packed: string): Opening {
  const lines = packed.split('\n').values();
  const next = (): string => lines.next().value ?? '';
  const parse = <T>(): T => JSON.parse(next()) as T;
  return {
    server: { address: next(), port: Number(next()), tls: parse() },
    clientTls: parse(),
    refusalBody: parse(),
    timingsMs: { dns: parse(), connect: parse(), tls: parse(), upgrade: parse() },
    proof: { client: nextProof(next), server: nextProof(next) },
    handshake: {
      clientRequest: nextRequest(next),
      serverRequest: nextRequest(next),
      serverResponse: nextResponse(next),
      clientResponse: nextResponse(next),
    },
  };
}

/** Values without their names, in the order of the types. @returns a text without any character above U+00FF */
export function packEnded({ summary, firstFrame, violations }: EndedFacts): string {
  const { id, url, mode, state, startedUs, openedUs, closedUs, client, status, subprotocol, extensions } = summary;
  const { frames, bytes, frameCount, violationCount, heardUs, survivedUs, endUs, close, fault } = summary;
  const { address, port } = client;
  const told = close === null ? null : closeRow(close);
  const failed = fault === null ? null : [fault.by, fault.code, fault.message];
  const rows = violations.map(({ code, by, count, firstFrame: on }) => [code, by, count, on]);
  // prettier-ignore
  return json([
    id, url, mode, state, startedUs, openedUs, closedUs, address, port, status, subprotocol, extensions, frames, bytes,
    frameCount, violationCount, heardUs, survivedUs, endUs, told, failed, firstFrame, rows,
  ]);
}

export function unpackEnded(packed: string): EndedFacts {
  const values = (JSON.parse(packed) as readonly unknown[]).values();
  const next = <T>(): T => values.next().value as T;
  const summary: SummaryFacts = {
    id: next(),
    url: next(),
    mode: next(),
    state: next(),
    startedUs: next(),
    openedUs: next(),
    closedUs: next(),
    client: { address: next(), port: next() },
    status: next(),
    subprotocol: next(),
    extensions: next(),
    frames: next(),
    bytes: next(),
    frameCount: next(),
    violationCount: next(),
    heardUs: next(),
    survivedUs: next(),
    endUs: next(),
    close: closeOf(next()),
    fault: faultOf(next()),
  };
  const violations = (rows: readonly ViolationRow[]): SessionViolation[] =>
    rows.map(([code, by, count, firstFrame]) => ({ code, by, count, firstFrame }));
  return { summary, firstFrame: next(), violations: violations(next()) };
}

type ViolationRow = readonly [
  code: SessionViolation['code'],
  by: SessionViolation['by'],
  count: number,
  firstFrame: number | null,
];
type CloseFrameRow = readonly [code: number | null, reason: string, frameIndex: number] | null;
type CloseRow = readonly [
  by: CloseRecord['by'],
  code: number | null,
  reason: string,
  clean: boolean,
  how: CloseRecord['how'],
  clientFrame: CloseFrameRow,
  serverFrame: CloseFrameRow,
  echoMs: number | null,
  clientEnding: CloseRecord['clientEnding'],
  serverEnding: CloseRecord['serverEnding'],
];

function closeRow(close: CloseRecord): CloseRow {
  const { by, code, reason, clean, how, echoMs, clientEnding, serverEnding } = close;
  const client = closeFrameRow(close.clientFrame);
  const server = closeFrameRow(close.serverFrame);
  return [by, code, reason, clean, how, client, server, echoMs, clientEnding, serverEnding];
}
function closeOf(row: CloseRow | null): CloseRecord | null {
  if (row === null) return null;
  const [by, code, reason, clean, how, client, server, echoMs, clientEnding, serverEnding] = row;
  const clientFrame = closeFrameOf(client);
  const serverFrame = closeFrameOf(server);
  return { by, code, reason, clean, how, clientFrame, serverFrame, echoMs, clientEnding, serverEnding };
}
function closeFrameRow(frame: CloseFrame | null): CloseFrameRow {
  return frame === null ? null : [frame.code, frame.reason, frame.frameIndex];
}
function closeFrameOf(row: CloseFrameRow): CloseFrame | null {
  return row === null ? null : { code: row[0], reason: row[1], frameIndex: row[2] };
}
function faultOf(row: readonly [Fault['by'], string, string] | null): Fault | null {
  return row === null ? null : { by: row[0], code: row[1], message: row[2] };
}

/** A copy that stands alone: a text cut from a head keeps all of the head in memory. */
export function detached(text: string): string;
export function detached(text: string | null): string | null;
export function detached(text: string | null): string | null {
  if (text === null) return null;
  const latin1 = Buffer.from(text, 'latin1').toString('latin1');
  return latin1 === text ? latin1 : Buffer.from(text, 'utf16le').toString('utf16le');
}

/** Without any character above U+00FF: in JSON those stand in strings only. */
function json(value: unknown): string {
  if (value === null) return 'null';
  const text = JSON.stringify(value);
  if (!/[\u0100-\uffff]/.test(text)) return text;
  return text.replace(/[\u0100-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A text or null, on one line. */
const optional = (text: string | null): string => (text === null ? '' : `=${text}`);
const optionalOf = (line: string): string | null => (line === '' ? null : line.slice(1));

function pushProof(lines: string[], { key, expected, received, matches }: AcceptProof): void {
  lines.push(optional(key), optional(expected), optional(received), String(matches));
}
function nextProof(next: () => string): AcceptProof {
  return {
    key: optionalOf(next()),
    expected: optionalOf(next()),
    received: optionalOf(next()),
    matches: next() === 'true',
  };
}

function pushRequest(lines: string[], head: RequestHead | null): void {
  if (head === null) lines.push('0');
  else pushHead(lines, [head.method, head.target, head.httpVersion], head.headers);
}
function pushResponse(lines: string[], head: ResponseHead | null): void {
  if (head === null) lines.push('0');
  else pushHead(lines, [head.httpVersion, String(head.status), head.reason], head.headers);
}
function pushHead(lines: string[], start: readonly [string, string, string], headers: HeaderList): void {
  lines.push(String(3 + 2 * headers.length), ...start);
  for (const [name, value] of headers) lines.push(name, value);
}

function nextRequest(next: () => string): RequestHead | null {
  const count = Number(next());
  if (count === 0) return null;
  return { method: next(), target: next(), httpVersion: next(), headers: nextFields(next, count - 3) };
}
function nextResponse(next: () => string): ResponseHead | null {
  const count = Number(next());
  if (count === 0) return null;
  return { httpVersion: next(), status: Number(next()), reason: next(), headers: nextFields(next, count - 3) };
}
function nextFields(next: () => string, count: number): [string, string][] {
  return Array.from({ length: count / 2 }, () => [next(), next()]);
}
