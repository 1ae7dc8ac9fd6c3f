import type { HeaderList, RequestHead, ResponseHead } from '../contract/session.ts';

/*
 * A head as one flat string: start line parts and fields, each on a line of its own. As objects a browser's handshake
 * costs about 10 KiB, so packed about 2; it is opened when somebody looks. No part can hold a line feed.
 */

export function packRequest(head: RequestHead): string {
  return pack([head.method, head.target, head.httpVersion], head.headers);
}
export function packResponse(head: ResponseHead): string {
  return pack([head.httpVersion, String(head.status), head.reason], head.headers);
}

export function unpackRequest(packed: string | null): RequestHead | null {
  if (packed === null) return null;
  const [method = '', target = '', httpVersion = '', ...fields] = packed.split('\n');
  return { method, target, httpVersion, headers: pair(fields) };
}
export function unpackResponse(packed: string | null): ResponseHead | null {
  if (packed === null) return null;
  const [httpVersion = '', status = '', reason = '', ...fields] = packed.split('\n');
  return { httpVersion, status: Number(status), reason, headers: pair(fields) };
}

function pack(start: readonly string[], headers: HeaderList): string {
  const parts = [...start];
  for (const [name, value] of headers) parts.push(name, value);
  return parts.join('\n');
}

function pair(fields: readonly string[]): [string, string][] {
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) headers.push([fields[i] as string, fields[i + 1] as string]);
  return headers;
}

/** A copy that stands alone: a text cut from a head keeps all of the head in memory. */
export function detached(text: string): string;
export function detached(text: string | null): string | null;
export function detached(text: string | null): string | null {
  if (text === null) return null;
  const encoding = /^[\x00-\xff]*$/.test(text) ? 'latin1' : 'utf16le';
  return Buffer.from(text, encoding).toString(encoding);
}
