import { isUtf8 } from 'node:buffer';
import { DecodeFailure } from './byte-reader.ts';
import { cbor } from './cbor.ts';
import { graphqlWs } from './graphql-ws.ts';
import { hex } from './hex.ts';
import { json, readJson } from './json.ts';
import { mqtt } from './mqtt.ts';
import { msgpack } from './msgpack.ts';
import { protobuf } from './protobuf.ts';
import { signalr } from './signalr.ts';
import { socketIo } from './socket-io.ts';
import { stomp } from './stomp.ts';
import { text } from './text.ts';
import type { DecodedValue } from '../contract/decoded.ts';

/** Of a longer payload only the start is decoded. */
export const MAX_DECODED_BYTES = 1024 * 1024;

export interface DecodeContext {
  /** 1: text, 2: binary (RFC 6455 §5.6). */
  readonly opcode: number;
  readonly subprotocol?: string | null;
  readonly url?: string;
  /** The decoder that the user chose, or that fitted the message before: it is asked first. */
  readonly hint?: string;
  /** Types of .proto files: more decoders, with names like `protobuf:pkg.Message`. */
  readonly types?: MessageTypes;
  /** The bytes are only the start of the message. */
  readonly cut?: boolean;
}

/** A payload as the decoders get it. */
export interface Payload {
  readonly bytes: Uint8Array;
  /** Null for what is not UTF-8. */
  readonly text: string | null;
  /** Undefined for what is no JSON. */
  readonly json: DecodedValue | undefined;
  readonly isText: boolean;
  readonly subprotocol: string;
  readonly url: string;
  /** The bytes are only the start. */
  readonly cut: boolean;
  /** Decodes what is inside of it; null where it lies too deep. */
  inner(bytes: Uint8Array): Decoded | null;
}

export interface Decoding {
  /** 0 to 1: how sure it is. */
  readonly score: number;
  /** One line. */
  readonly summary: string;
  readonly value: DecodedValue;
}
export interface Decoded extends Decoding {
  readonly name: string;
}

/**
 * One format. `decode` returns null, or throws a DecodeFailure, for what it is not; its work is bounded by the
 * payload's length, `MAX_VALUES` and `MAX_DEPTH`.
 */
export interface Decoder {
  readonly name: string;
  decode(payload: Payload): Decoding | null;
}

/** Message types that were loaded. Their work is bounded as that of decoders is. */
export interface MessageTypes {
  has(type: string): boolean;
  /** By one type, which need not fit well: what it does not know is shown as unknown. */
  decode(type: string, payload: Payload): Decoding | null;
  /** By the few types that fit best. */
  candidates(payload: Payload): TypedDecoding[];
}
export interface TypedDecoding extends Decoding {
  readonly type: string;
}
/** Before the name of a type, in the name of a decoder. */
export const TYPED = 'protobuf:';

export const DECODERS: readonly Decoder[] = [
  socketIo,
  graphqlWs,
  signalr,
  stomp,
  mqtt,
  json,
  msgpack,
  cbor,
  protobuf,
  text,
  hex,
];
export const DECODER_NAMES: readonly string[] = DECODERS.map(({ name }) => name);

const MAX_INNER = 3;

/**
 * Decodes a payload by the decoder that is surest of it; by `hint` where that one can. Never throws.
 * @param bytes borrowed for the time of the call
 */
export function decode(bytes: Uint8Array, context: DecodeContext): Decoded {
  return decodeAt(bytes, context, 0);
}

/** Every decoder that can read it, the surest first, and the one of `hint`. One, hex, always can. */
export function decodings(bytes: Uint8Array, context: DecodeContext): Decoded[] {
  const payload = payloadOf(bytes, context, 0);
  const found = all(payload, context);
  if (context.hint !== undefined && !found.some(({ name }) => name === context.hint)) {
    const byHint = byName(context.hint, payload, context);
    if (byHint !== null) found.push(byHint);
  }
  return found.sort((a, b) => b.score - a.score);
}

/** What this one decoder makes of it, or null where it cannot read it. */
export function decodeAs(name: string, bytes: Uint8Array, context: DecodeContext): Decoded | null {
  return byName(name, payloadOf(bytes, context, 0), context);
}

function decodeAt(bytes: Uint8Array, context: DecodeContext, depth: number): Decoded {
  const payload = payloadOf(bytes, context, depth);
  const byHint = context.hint === undefined ? null : byName(context.hint, payload, context);
  if (byHint !== null) return byHint;
  let best: Decoded | null = null;
  for (const decoded of all(payload, context)) if (decoded.score > (best?.score ?? 0)) best = decoded;
  return best ?? { name: hex.name, score: 0, summary: '', value: null };
}

function all(payload: Payload, { types }: DecodeContext): Decoded[] {
  const found = DECODERS.map((decoder) => attempt(decoder.name, () => decoder.decode(payload)));
  const typed = types?.candidates(payload) ?? [];
  for (const { type, ...decoding } of typed) found.push({ name: TYPED + type, ...decoding });
  return found.filter((one) => one !== null);
}

function byName(name: string, payload: Payload, { types }: DecodeContext): Decoded | null {
  if (name.startsWith(TYPED)) return attempt(name, () => types?.decode(name.slice(TYPED.length), payload) ?? null);
  const decoder = DECODERS.find((one) => one.name === name);
  return decoder === undefined ? null : attempt(name, () => decoder.decode(payload));
}

function attempt(name: string, decoding: () => Decoding | null): Decoded | null {
  try {
    const decoded = decoding();
    return decoded === null ? null : { name, ...decoded };
  } catch (error) {
    if (error instanceof DecodeFailure) return null;
    throw error;
  }
}

function payloadOf(whole: Uint8Array, context: DecodeContext, depth: number): Payload {
  const bytes = whole.subarray(0, MAX_DECODED_BYTES);
  const cut = whole.length > bytes.length || context.cut === true;
  const readable = isUtf8(cut ? bytes.subarray(0, characterEnd(bytes)) : bytes);
  const asText = readable ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString() : null;
  let parsed: { readonly value: DecodedValue | undefined } | undefined;
  return {
    bytes,
    text: asText,
    get json() {
      parsed ??= { value: asText === null || cut ? undefined : readJson(asText) };
      return parsed.value;
    },
    isText: context.opcode === 1,
    subprotocol: context.subprotocol?.toLowerCase() ?? '',
    url: context.url ?? '',
    cut,
    inner: (part) => (depth >= MAX_INNER ? null : decodeAt(part, { opcode: isUtf8(part) ? 1 : 2 }, depth + 1)),
  };
}

/** The start of the last character: it may be cut. */
function characterEnd(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && end > bytes.length - 4 && ((bytes[end - 1] as number) & 0xc0) === 0x80) end--;
  return Math.max(0, end - 1);
}

/** Remembers which decoder fitted, by URL and direction, so that a list does not change its mind at every message. */
export class StickyDecoders {
  readonly #names = new Map<string, string>();
  readonly #maxEntries: number;

  constructor(maxEntries = 1000) {
    this.#maxEntries = maxEntries;
  }

  hintFor(url: string, direction: string): string | undefined {
    return this.#names.get(`${direction} ${url}`);
  }
  remember(url: string, direction: string, name: string): void {
    const key = `${direction} ${url}`;
    this.#names.delete(key);
    this.#names.set(key, name);
    const oldest = this.#names.keys().next().value;
    if (this.#names.size > this.#maxEntries && oldest !== undefined) this.#names.delete(oldest);
  }
}
