import type { HandshakeRecord, HeaderList } from '../contract/session.ts';

/** Header fields that let whoever reads them act as somebody else. */
const SECRET_FIELDS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization', 'set-cookie']);
export const REDACTED = '[redacted]';

/** The four messages of a handshake with the values of their secret fields left out; names and order stay. */
export function redactHandshake(handshake: HandshakeRecord): HandshakeRecord {
  const redact = <T extends { readonly headers: HeaderList }>(head: T | null): T | null =>
    head === null ? null : { ...head, headers: redactHeaders(head.headers) };
  return {
    clientRequest: redact(handshake.clientRequest),
    serverRequest: redact(handshake.serverRequest),
    serverResponse: redact(handshake.serverResponse),
    clientResponse: redact(handshake.clientResponse),
  };
}

function redactHeaders(headers: HeaderList): HeaderList {
  return headers.map(([name, value]) => [name, SECRET_FIELDS.has(name.trim().toLowerCase()) ? REDACTED : value]);
}
