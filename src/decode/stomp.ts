import type { Decoder } from './decoder.ts';
import type { DecodedValue } from '../contract/decoded.ts';
import { summaryOf } from './value.ts';

const COMMANDS =
  /^(CONNECT|STOMP|CONNECTED|SEND|SUBSCRIBE|UNSUBSCRIBE|ACK|NACK|BEGIN|COMMIT|ABORT|DISCONNECT|MESSAGE|RECEIPT|ERROR)\r?\n/;
const ESCAPES: Readonly<Record<string, string>> = { '\\r': '\r', '\\n': '\n', '\\c': ':', '\\\\': '\\' };

/** STOMP 1.2, https://stomp.github.io/stomp-specification-1.2.html: one frame, or a heart-beat. */
export const stomp: Decoder = {
  name: 'stomp',
  decode(payload) {
    const { text, subprotocol } = payload;
    if (text === null) return null;
    const said = /^v1\d\.stomp$/.test(subprotocol);
    if (/^\r?\n$/.test(text))
      return said ? { score: 0.95, summary: 'heart-beat', value: { command: 'heart-beat' } } : null;
    const command = COMMANDS.exec(text)?.[1];
    const headEnd = /\r?\n\r?\n/.exec(text);
    const end = text.lastIndexOf('\0');
    if (command === undefined || headEnd === null || end < headEnd.index) return null;
    const lines = text.slice(0, headEnd.index).split(/\r?\n/).slice(1);
    const headers: DecodedValue[] = [];
    let destination = '';
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon < 0) return null;
      const name = unescape(line.slice(0, colon));
      const value = unescape(line.slice(colon + 1));
      headers.push([name, value]);
      if (name === 'destination') destination = ` ${value}`;
    }
    const body = text.slice(headEnd.index + headEnd[0].length, end);
    const decoded = body === '' ? null : payload.inner(Buffer.from(body));
    const shown = decoded === null ? {} : { body: decoded.value, bodyAs: decoded.name };
    return {
      score: said ? 0.97 : 0.85,
      summary: summaryOf(`${command}${destination} ${decoded?.summary ?? ''}`),
      value: { command, headers, ...shown },
    };
  },
};

const unescape = (text: string): string => text.replace(/\\[rnc\\]/g, (escape) => ESCAPES[escape] ?? escape);
