import { DecodeLimit, type ByteReader } from '../byte-reader.ts';
import type { DecodedValue } from '../../contract/decoded.ts';
import { bytesValue, pairsValue } from '../value.ts';
import { merged, MessageRead, type Element } from './message-read.ts';
import { defaultValue } from './scalar.ts';
import type { Field, MessageType } from './schema.ts';
import { wellKnownValue } from './well-known.ts';

/**
 * Shows messages as JSON: fields by their names, in the order in which they came; what is not there is not shown.
 * `$unknown` has what the type does not know, `$overwritten` the values that later ones have replaced.
 */
export class MessageView {
  /** Its bounds hold for what is inside of an Any as well. */
  readonly reader: ByteReader;
  readonly typeNamed: (name: string) => MessageType | undefined;

  constructor(reader: ByteReader, typeNamed: (name: string) => MessageType | undefined) {
    this.reader = reader;
    this.typeNamed = typeNamed;
  }

  message(message: MessageRead): DecodedValue {
    const { unknown, replaced } = message;
    if (unknown.length === 0 && replaced.length === 0) {
      const wellKnown = wellKnownValue(message, this);
      if (wellKnown !== undefined) return wellKnown;
    }
    const shown: [string, DecodedValue][] = [];
    const overwritten = new Map<string, DecodedValue[]>();
    const overwrite = (field: Field, elements: readonly Element[]): void => {
      const values = overwritten.get(field.name) ?? [];
      for (const element of elements) values.push(this.element(element));
      overwritten.set(field.name, values);
    };
    for (const [field, elements] of replaced) overwrite(field, elements);
    for (const [field, elements] of message.fields) {
      shown.push([field.name, this.field(field, elements)]);
      const last = field.label === 'singular' || field.label === 'required';
      if (last && elements.length > 1 && !(elements[0] instanceof MessageRead)) overwrite(field, elements.slice(0, -1));
    }
    if (unknown.length > 0) shown.push(['$unknown', unknown as unknown as DecodedValue]);
    if (overwritten.size > 0) shown.push(['$overwritten', Object.fromEntries(overwritten)]);
    return Object.fromEntries(shown);
  }

  /** All that was read of one field. */
  field(field: Field, elements: readonly Element[]): DecodedValue {
    if (field.label === 'repeated') return elements.map((element) => this.element(element));
    const messages = elements.filter((element) => element instanceof MessageRead);
    if (field.label === 'map') return pairsValue(messages.map((entry) => this.#pair(entry)));
    return this.element(merged(messages) ?? elements.at(-1) ?? null);
  }

  element(element: Element): DecodedValue {
    if (element instanceof Uint8Array) return bytesValue(element);
    if (!(element instanceof MessageRead)) return element;
    try {
      return this.reader.nested(() => this.message(element));
    } catch (error) {
      if (!(error instanceof DecodeLimit)) throw error;
      return { $cut: error.message };
    }
  }

  /** Key and value of a map's entry; either may be left out where it is 0 or empty. */
  #pair(entry: MessageRead): [DecodedValue, DecodedValue] {
    const part = (number: number): DecodedValue => {
      const field = entry.type.fields.get(number);
      if (field === undefined) return null;
      const elements = entry.elements(number);
      return elements.length === 0 ? defaultValue(field) : this.field(field, elements);
    };
    return [part(1), part(2)];
  }
}
