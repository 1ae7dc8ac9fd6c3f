import { ByteReader, DecodeFailure, DecodeLimit } from '../byte-reader.ts';
import type { Payload } from '../decoder.ts';
import { MessageReader } from './message-reader.ts';
import { fits, type MessageType } from './schema.ts';
import { readKey, takeDelimited, varint, WIRE } from './wire.ts';

/** A type that the payload may be of, and how sure that is: 0 to 1. */
export interface FittingType {
  readonly type: MessageType;
  readonly score: number;
}
interface Fitting {
  readonly type: MessageType;
  readonly fit: number;
}

/** Types that are named at most. */
const MAX_FITTING = 5;
/** Of these the first fields are read to see how they fit; of long payloads fewer. */
const MAX_READ_TYPES = 100;
const MIN_READ_TYPES = 8;
const READ_BYTES = 4 * 1024 ** 2;
const READ_VALUES = 500;
/** Of all of them together, whichever way the payload is made. */
export const ALL_READ_VALUES = 20_000;
/** Different fields of the payload that are compared with all types. */
const MAX_SHAPE = 64;
/** Below this share of what fits, the payload is something else. */
const MIN_FIT = 0.5;
/** Types that fit nearly alike say nothing: the guess without a schema, which gives no wrong names, goes before them. */
const ALIKE = 0.02;
const ALIKE_SCORE = 0.29;

/**
 * The types that the payload fits best, first the best one. Every type is compared with its outermost fields, and those
 * that fit are tried: some ten milliseconds for thousands of types.
 */
export function fittingTypes(types: readonly MessageType[], payload: Payload): FittingType[] {
  const { bytes, cut } = payload;
  if (bytes.length === 0 || types.length === 0) return [];
  const shape = shapeOf(bytes, cut);
  if (shape.size === 0) return [];
  const count = Math.min(MAX_READ_TYPES, Math.max(MIN_READ_TYPES, Math.floor(READ_BYTES / bytes.length)));
  const outer = best(types.map((type) => outerFit(type, shape))).slice(0, count);
  const maxValues = Math.min(READ_VALUES, Math.floor(ALL_READ_VALUES / Math.max(1, outer.length)));
  const inner = best(outer.map(({ type }) => innerFit(type, shape, { payload, maxValues }))).slice(0, MAX_FITTING);
  const [first, second] = inner;
  const alike = first !== undefined && second !== undefined && first.fit - second.fit < ALIKE;
  return inner.map(({ type, fit }) => ({ type, score: scoreOf(fit, alike, payload) }));
}

const best = (all: readonly Fitting[]): Fitting[] =>
  all.filter(({ fit }) => fit >= MIN_FIT).sort((a, b) => b.fit - a.fit);

function scoreOf(fit: number, alike: boolean, { bytes, isText, subprotocol }: Payload): number {
  if (isText) return 0;
  if (/proto/.test(subprotocol)) return alike ? 0.9 * fit : 0.9 + 0.09 * fit;
  const score = 0.9 * fit * fit * (0.75 + 0.25 * Math.min(1, bytes.length / 32));
  return alike ? ALIKE_SCORE * fit : score;
}

/** How often each field comes in the outermost message, by number and wire type. */
type Shape = ReadonlyMap<number, number>;

function shapeOf(bytes: Uint8Array, cut: boolean): Shape {
  const shape = new Map<number, number>();
  const reader = new ByteReader(bytes);
  try {
    while (reader.left > 0) {
      const { field, wire } = readKey(reader);
      skip(reader, field, wire);
      const key = field * 8 + wire;
      if (shape.size < MAX_SHAPE || shape.has(key)) shape.set(key, (shape.get(key) ?? 0) + 1);
    }
  } catch (error) {
    if (!(error instanceof DecodeFailure)) throw error;
    // What is too much, or is cut, has a shape as far as it was read; what is no message has none.
    if (!cut && !(error instanceof DecodeLimit)) shape.clear();
  }
  return shape;
}

function skip(reader: ByteReader, field: number, wire: number): void {
  if (wire === WIRE.varint) varint(reader);
  else if (wire === WIRE.fixed64) reader.take(8);
  else if (wire === WIRE.fixed32) reader.take(4);
  else if (wire === WIRE.bytes) takeDelimited(reader);
  else if (wire === WIRE.group) reader.nested(() => skipGroup(reader, field));
  else throw new DecodeFailure('no wire type');
}

function skipGroup(reader: ByteReader, group: number): void {
  for (;;) {
    const { field, wire } = readKey(reader);
    if (wire === WIRE.groupEnd && field === group) return;
    skip(reader, field, wire);
  }
}

function outerFit(type: MessageType, shape: Shape): Fitting {
  let known = 0;
  let all = 0;
  for (const [key, times] of shape) {
    all += times;
    const field = type.fields.get(Math.floor(key / 8));
    if (field !== undefined && fits(field, key % 8)) known += times;
  }
  return { type, fit: weighed(known / all, type, shape) };
}

function innerFit(
  type: MessageType,
  shape: Shape,
  { payload: { bytes, cut }, maxValues }: { readonly payload: Payload; readonly maxValues: number },
): Fitting {
  const reader = new MessageReader(new ByteReader(bytes, { maxValues }), { cut });
  try {
    reader.read(type);
  } catch (error) {
    if (!(error instanceof DecodeFailure)) throw error;
    return { type, fit: 0 };
  }
  const { known, misfits } = reader.fit;
  return { type, fit: weighed(known / (known + 2 * misfits), type, shape) };
}

/** Of types that fit alike, one of whose fields more are there is likelier, and one that is part of others less so. */
function weighed(share: number, type: MessageType, shape: Shape): number {
  const there = new Set<unknown>();
  for (const key of shape.keys()) {
    const field = type.fields.get(Math.floor(key / 8));
    if (field !== undefined) there.add(field.oneof ?? field);
  }
  const coverage = there.size / Math.max(1, type.slots);
  return share * (0.85 + 0.15 * coverage) * (type.isPart ? 0.95 : 1);
}
