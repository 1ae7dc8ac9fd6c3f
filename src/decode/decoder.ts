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
  /** Decodes what is inside of it; null where it lies too deep, or so much of it has been decoded already. */
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
  /**
   * By one type, which need not fit well: what it does not know is shown as unknown.
   * @param score how sure it is, where `candidates` has said so already
   */
  decode(type: string, payload: Payload, score?: number): Decoding | null;
  /** The few types that fit best, by the start of the payload: nothing is decoded for it. */
  candidates(payload: Payload): readonly TypeCandidate[];
}
export interface TypeCandidate {
  readonly type: string;
  /** 0 to 1: how sure it is. */
  readonly score: number;
}
export interface Candidate {
  readonly name: string;
  readonly score: number;
}
/** A payload by one decoder, and which others there are. */
export interface Look {
  readonly chosen: Decoded;
  /** The surest first, and the chosen one among them. */
  readonly candidates: readonly Candidate[];
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
/** Parts of a payload that are decoded in their turn, each by every decoder: some 40 µs even where it is a few bytes. */
const MAX_PARTS = 250;

/** Where a part lies in the payload that is looked at, and what its parts have cost so far. */
interface Depth {
  readonly level: number;
  readonly spent: { parts: number };
}
const outermost = (): Depth => ({ level: 0, spent: { parts: 0 } });

/**
 * Decodes a payload by the decoder that is surest of it; by `hint` where that one can. Never throws.
 * @param bytes borrowed for the time of the call
 */
export function decode(bytes: Uint8Array, context: DecodeContext): Decoded {
  return decodeAt(bytes, context, outermost());
}

/** Every decoder that can read it without types that are loaded, the surest first. One, hex, always can. */
export function decodings(bytes: Uint8Array, context: DecodeContext): Decoded[] {
  return untyped(payloadOf(bytes, context, outermost())).sort(bySureness);
}

/**
 * Decodes as `decode` does, and names the other decoders that may read it. Of the types that are loaded only the one
 * that is chosen is decoded by: others are known to fit at the start.
 */
export function lookAt(bytes: Uint8Array, context: DecodeContext): Look {
  return lookIn(payloadOf(bytes, context, outermost()), context);
}

/** What this one decoder makes of it, or null where it cannot read it. */
export function decodeAs(name: string, bytes: Uint8Array, context: DecodeContext): Decoded | null {
  return byName(name, payloadOf(bytes, context, outermost()), context);
}

function decodeAt(bytes: Uint8Array, context: DecodeContext, depth: Depth): Decoded {
  const payload = payloadOf(bytes, context, depth);
  const byHint = context.hint === undefined ? null : byName(context.hint, payload, context);
  if (byHint !== null) return byHint;
  return lookIn(payload, { ...context, hint: '' }).chosen;
}

function lookIn(payload: Payload, context: DecodeContext): Look {
  const { hint = '', types } = context;
  const decoded = untyped(payload);
  const typed = (types?.candidates(payload) ?? []).map(({ type, score }) => ({ name: TYPED + type, score }));
  const all = [...decoded.map(({ name, score }) => ({ name, score })), ...typed].sort(bySureness);
  const by = (name: string): Decoded | null =>
    decoded.find((one) => one.name === name) ??
    byName(name, payload, context, typed.find((one) => one.name === name)?.score);
  const hinted = by(hint);
  const others = all.filter(({ name }) => name !== hint);
  if (hinted !== null) {
    const candidates = [...others, { name: hint, score: hinted.score }].sort(bySureness);
    return { chosen: hinted, candidates };
  }
  const [first] = others;
  const best = first === undefined ? null : by(first.name);
  if (best !== null) return { chosen: best, candidates: others };
  // Only its start fits the type. No other type is tried: this one has cost what one may.
  const [chosen = { name: hex.name, score: 0, summary: '', value: null }] = decoded.sort(bySureness);
  return { chosen, candidates: others.slice(1) };
}

const bySureness = (a: Candidate, b: Candidate): number => b.score - a.score;

function untyped(payload: Payload): Decoded[] {
  return DECODERS.map((decoder) => attempt(decoder.name, () => decoder.decode(payload))).filter((one) => one !== null);
}

function byName(name: string, payload: Payload, { types }: DecodeContext, score?: number): Decoded | null {
  if (name.startsWith(TYPED)) {
    return attempt(name, () => types?.decode(name.slice(TYPED.length), payload, score) ?? null);
  }
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

function payloadOf(whole: Uint8Array, context: DecodeContext, { level, spent }: Depth): Payload {
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
    inner: (part) =>
      level >= MAX_INNER || spent.parts++ >= MAX_PARTS
        ? null
        : decodeAt(part, { opcode: isUtf8(part) ? 1 : 2 }, { level: level + 1, spent }),
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
