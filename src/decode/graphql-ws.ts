import type { Decoder } from './decoder.ts';
import type { DecodedValue } from '../contract/decoded.ts';
import { summaryOf } from './value.ts';

/** Message types of graphql-transport-ws and of the older graphql-ws. */
const TYPES = new Set([
  ...['connection_init', 'connection_ack', 'connection_error', 'connection_terminate', 'ping', 'pong', 'ka'],
  ...['subscribe', 'next', 'error', 'complete', 'start', 'data', 'stop'],
]);
/** Types that nobody else uses. */
const OWN = /^connection_/;

export const graphqlWs: Decoder = {
  name: 'graphql-ws',
  decode({ json, subprotocol }) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
    const { type, id, payload } = json as Record<string, DecodedValue>;
    if (typeof type !== 'string' || !TYPES.has(type)) return null;
    const said = /^graphql-(?:transport-)?ws$/.test(subprotocol);
    const query = field(payload, 'query');
    const shown = query ?? field(payload, 'operationName') ?? (payload === undefined ? '' : JSON.stringify(payload));
    return {
      score: said ? 0.97 : OWN.test(type) || query !== undefined ? 0.8 : 0.1,
      summary: summaryOf(`${type}${typeof id === 'string' ? ` ${id}` : ''} ${shown}`),
      value: json,
    };
  },
};

function field(value: DecodedValue | undefined, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const part = (value as Record<string, DecodedValue>)[name];
  return typeof part === 'string' ? part : undefined;
}
