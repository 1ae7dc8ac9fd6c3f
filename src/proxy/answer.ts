import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FrametapError } from '../errors.ts';
import type { HeaderList, ResponseHead } from '../contract/session.ts';
import { serializeResponseHead } from '../protocol/head.ts';
import { Deadlines } from './deadlines.ts';

/** How long a peer may take to close its side after our last word. */
const LINGER_MS = 2_000;
const lingering = new Deadlines(LINGER_MS);

export interface Answer {
  readonly head: ResponseHead;
  readonly body: Buffer;
}

/** An answer of the proxy's own: code, reason and what to do about it, in plain text. */
export function refusal(error: FrametapError): Answer {
  const body = Buffer.from(`frametap: ${error.code}\n${error.message}\n${error.remedy}\n`);
  return answer(error.status, refusalFields(error), body);
}

/** The fields that say why, beside those that every answer of ours has. */
export function refusalFields(error: FrametapError): HeaderList {
  const fields: [string, string][] = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Frametap-Error', error.code],
  ];
  // RFC 6455 §4.4; RFC 9110 §15.5.22 and §15.5.8 demand the other two.
  if (error.status === 426) fields.push(['Sec-WebSocket-Version', '13'], ['Upgrade', 'websocket']);
  if (error.status === 407) fields.push(['Proxy-Authenticate', 'Basic realm="Frametap", charset="UTF-8"']);
  return fields;
}

function answer(status: number, fields: HeaderList, body: Buffer): Answer {
  return {
    head: {
      httpVersion: '1.1',
      status,
      reason: STATUS_CODES[status] ?? '',
      headers: [
        ...fields,
        ['Content-Length', String(body.length)],
        ['Cache-Control', 'no-store'],
        ['Connection', status === 426 ? 'Upgrade, close' : 'close'],
      ],
    },
    body,
  };
}

export function answerBytes({ head, body }: Answer): Buffer {
  return Buffer.concat([Buffer.from(serializeResponseHead(head), 'latin1'), body]);
}

/**
 * Says a last word and ends the connection; what the peer still sends is read and dropped, because to close over
 * unread bytes would reset the connection and could cost the peer our answer.
 */
export function endWith(socket: Socket, raw: Socket, bytes: Uint8Array): void {
  socket.resume();
  socket.end(bytes);
  const deadline = lingering.start(() => raw.destroy());
  raw.once('close', () => lingering.cancel(deadline));
}

/** A silent listener for `error`: a vanished peer is normal, and its end is seen by other events. */
export const ignoreError = (): void => undefined;
