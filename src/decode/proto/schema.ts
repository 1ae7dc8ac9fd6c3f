import { WIRE } from './wire.ts';

/** The scalar types and how each lies on the wire: https://protobuf.dev/programming-guides/encoding/ */
export const SCALARS = {
  double: WIRE.fixed64,
  float: WIRE.fixed32,
  int32: WIRE.varint,
  int64: WIRE.varint,
  uint32: WIRE.varint,
  uint64: WIRE.varint,
  sint32: WIRE.varint,
  sint64: WIRE.varint,
  fixed32: WIRE.fixed32,
  fixed64: WIRE.fixed64,
  sfixed32: WIRE.fixed32,
  sfixed64: WIRE.fixed64,
  bool: WIRE.varint,
  string: WIRE.bytes,
  bytes: WIRE.bytes,
} as const;
export type Scalar = keyof typeof SCALARS;

/** A message type, as its .proto file declares it. Types may hold each other in circles. */
export interface MessageType {
  readonly kind: 'message';
  /** With its package, without a leading dot. */
  readonly name: string;
  /** By number. */
  readonly fields: ReadonlyMap<number, Field>;
  /** Fields that may be there at the same time: of a oneof's only one. */
  readonly slots: number;
  readonly required: readonly Field[];
  /** Another message has a field of this type: then it comes by itself less often. */
  readonly isPart: boolean;
}

export interface EnumType {
  readonly kind: 'enum';
  readonly name: string;
  /** Of names for the same number, the first. */
  readonly names: ReadonlyMap<number, string>;
}

export interface Field {
  /** As it is written in the file; of an extension the full name in brackets. */
  readonly name: string;
  readonly number: number;
  readonly type: Scalar | EnumType | MessageType;
  /** A map is a repeated message with a key (1) and a value (2). */
  readonly label: 'singular' | 'required' | 'repeated' | 'map';
  readonly oneof: string | null;
}

/** The wire type of one value; a message may be a group as well. */
export function wireOf({ type }: Field): number {
  if (typeof type === 'string') return SCALARS[type];
  return type.kind === 'enum' ? WIRE.varint : WIRE.bytes;
}

/** Whether a field of this wire type may be what the schema says: a repeated number may lie packed. */
export function fits(field: Field, wire: number): boolean {
  const own = wireOf(field);
  if (wire === own) return true;
  if (wire === WIRE.group) return typeof field.type === 'object' && field.type.kind === 'message';
  return wire === WIRE.bytes && field.label === 'repeated';
}
