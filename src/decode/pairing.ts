import type { DecodedValue } from '../contract/decoded.ts';

/** What a message is in an exchange: its partner has the other role and the same key, and goes the other way. */
export interface Pairing {
  readonly role: 'request' | 'answer';
  /** The protocol and the id that both carry. */
  readonly key: string;
}

type Fields = Readonly<Record<string, DecodedValue>>;
const READERS: Readonly<Record<string, (value: Fields) => Pairing | null>> = {
  json: jsonRpc,
  'socket.io': socketIo,
  'graphql-ws': graphqlWs,
  signalr,
};
/** Decoders of the protocols that pair. */
export const PAIRING_DECODERS: readonly string[] = Object.keys(READERS);
/** A batch (JSON-RPC 2.0 §6, SignalR's records) is looked at as far as this. */
const MAX_BATCH = 1_000;

/** The requests and answers in a decoded message: more than one for a batch, none for what does not pair. */
export function pairingsOf(decoded: { readonly name: string; readonly value: DecodedValue }): Pairing[] {
  const read = Object.hasOwn(READERS, decoded.name) ? READERS[decoded.name] : undefined;
  if (read === undefined) return [];
  const parts = Array.isArray(decoded.value) ? decoded.value.slice(0, MAX_BATCH) : [decoded.value];
  return parts.flatMap((part) => (isFields(part) ? (read(part) ?? []) : []));
}

/** JSON-RPC 2.0 §4 and §5; also those who leave `jsonrpc` out, as the Chrome DevTools Protocol does. */
function jsonRpc(value: Fields): Pairing | null {
  const { id, method } = value;
  if (id === undefined || id === null || typeof id === 'boolean' || Array.isArray(id)) return null;
  if (isFields(id) && id['$number'] === undefined) return null;
  const key = `json-rpc ${JSON.stringify(id)}`;
  if (typeof method === 'string') return { role: 'request', key };
  return 'result' in value || 'error' in value ? { role: 'answer', key } : null;
}

/** An event that wants an acknowledgement carries an id; the acknowledgement repeats it. */
function socketIo({ packet, namespace, id }: Fields): Pairing | null {
  if (id === undefined || typeof packet !== 'string') return null;
  const key = `socket.io ${JSON.stringify([namespace ?? '/', id])}`;
  if (packet.endsWith('event')) return { role: 'request', key };
  return packet.endsWith('ack') ? { role: 'answer', key } : null;
}

/** graphql-transport-ws and the older graphql-ws: a subscription's first result answers it. */
const GRAPHQL_ROLES: Readonly<Record<string, Pairing['role']>> = {
  subscribe: 'request',
  start: 'request',
  next: 'answer',
  data: 'answer',
  error: 'answer',
  complete: 'answer',
};
const GRAPHQL_WITHOUT_ID: Readonly<Record<string, Pairing>> = {
  connection_init: { role: 'request', key: 'graphql-ws connection' },
  connection_ack: { role: 'answer', key: 'graphql-ws connection' },
  connection_error: { role: 'answer', key: 'graphql-ws connection' },
  ping: { role: 'request', key: 'graphql-ws ping' },
  pong: { role: 'answer', key: 'graphql-ws ping' },
};
function graphqlWs({ type, id }: Fields): Pairing | null {
  if (typeof type !== 'string') return null;
  if (Object.hasOwn(GRAPHQL_WITHOUT_ID, type)) return GRAPHQL_WITHOUT_ID[type] ?? null;
  const role = Object.hasOwn(GRAPHQL_ROLES, type) ? GRAPHQL_ROLES[type] : undefined;
  return role === undefined || typeof id !== 'string' ? null : { role, key: `graphql-ws ${JSON.stringify(id)}` };
}

/** Invocations (1, 4) are answered by stream items (2) and completions (3) with their invocationId. */
function signalr({ type, invocationId }: Fields): Pairing | null {
  if (typeof invocationId !== 'string') return null;
  const key = `signalr ${JSON.stringify(invocationId)}`;
  if (type === 1 || type === 4) return { role: 'request', key };
  return type === 2 || type === 3 ? { role: 'answer', key } : null;
}

function isFields(value: DecodedValue | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
