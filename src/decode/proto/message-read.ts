import type { DecodedValue } from '../../contract/decoded.ts';
import type { Field, MessageType } from './schema.ts';
import type { WireField } from './wire.ts';

/** One value of a field. Bytes are borrowed from the payload. */
export type Element = DecodedValue | Uint8Array | MessageRead;

/**
 * What was read of one message. Every occurrence of a field is kept: of a singular one the last counts, and a message
 * that comes again is merged with the one before (https://protobuf.dev/programming-guides/encoding/#last-one-wins).
 */
export class MessageRead {
  readonly type: MessageType;
  /** In the order in which they first came. */
  readonly fields = new Map<Field, Element[]>();
  readonly unknown: WireField[] = [];
  /** Members of a oneof in whose place another one has come. */
  readonly replaced: (readonly [Field, readonly Element[]])[] = [];
  /** Made when there is one: there may be thousands of messages. */
  #oneofs: Map<string, Field> | undefined;

  constructor(type: MessageType) {
    this.type = type;
  }

  add(field: Field, element: Element): void {
    this.#slot(field).push(element);
  }

  /** Adds all of a message of the same type that came later. */
  merge(later: MessageRead): void {
    for (const [field, elements] of later.fields) {
      const slot = this.#slot(field);
      for (const element of elements) slot.push(element);
    }
    for (const one of later.unknown) this.unknown.push(one);
    for (const one of later.replaced) this.replaced.push(one);
  }

  /** The elements of the field with this number, or none. */
  elements(number: number): readonly Element[] {
    const field = this.type.fields.get(number);
    return (field === undefined ? undefined : this.fields.get(field)) ?? [];
  }

  #slot(field: Field): Element[] {
    if (field.oneof !== null) {
      this.#oneofs ??= new Map();
      const before = this.#oneofs.get(field.oneof);
      const elements = before === undefined || before === field ? undefined : this.fields.get(before);
      if (before !== undefined && elements !== undefined) {
        this.replaced.push([before, elements]);
        this.fields.delete(before);
      }
      this.#oneofs.set(field.oneof, field);
    }
    let elements = this.fields.get(field);
    if (elements === undefined) this.fields.set(field, (elements = []));
    return elements;
  }
}

/** Messages of one field as the one that they make together. */
export function merged(messages: readonly MessageRead[]): MessageRead | undefined {
  const [first, ...later] = messages;
  if (first === undefined || later.length === 0) return first;
  const all = new MessageRead(first.type);
  for (const message of messages) all.merge(message);
  return all;
}
