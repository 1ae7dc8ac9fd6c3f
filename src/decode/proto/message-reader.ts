import { DecodeFailure, DecodeLimit, type ByteReader } from '../byte-reader.ts';
import { bytesValue } from '../value.ts';
import { MessageRead, type Element } from './message-read.ts';
import { readScalar, type Fit } from './scalar.ts';
import { fits, wireOf, type Field, type MessageType } from './schema.ts';
import { printable, readKey, varint, WIRE, wireField, type FieldKey } from './wire.ts';

/** What stands in the place of something else is shown as text up to this length. */
const SHOWN_TEXT_BYTES = 4096;
/** What reading something in vain costs, in values: that is the dearest thing to do. */
export const FAILURE_VALUES = 20;
/** What a message costs beside the values in it: it is kept and shown with its fields. */
export const MESSAGE_VALUES = 3;

/**
 * Reads bytes as a message of a type, within the bounds of the byte reader. What the type does not have, or says
 * otherwise of, is kept as the wire tells of it: then the two do not fit, but nothing is lost.
 */
export class MessageReader {
  readonly fit: Fit = { known: 0, misfits: 0 };
  readonly #reader: ByteReader;
  readonly #cut: boolean;

  /** @param options.cut the bytes are the start of something longer: what began is read as far as it is there */
  constructor(reader: ByteReader, options: { readonly cut?: boolean } = {}) {
    this.#reader = reader;
    this.#cut = options.cut ?? false;
  }

  /**
   * @returns the message, and why not all of it was read
   * @throws {DecodeFailure} if the bytes are no message
   */
  read(type: MessageType): { readonly message: MessageRead; readonly ended: string | null } {
    const message = new MessageRead(type);
    try {
      this.#fields(this.#reader, message);
    } catch (error) {
      const limit = error instanceof DecodeLimit;
      if (!limit && !(this.#cut && error instanceof DecodeFailure)) throw error;
      return { message, ended: limit ? error.message : null };
    }
    return { message, ended: null };
  }

  #fields(reader: ByteReader, into: MessageRead, group = 0): void {
    reader.count(MESSAGE_VALUES);
    for (;;) {
      if (reader.left === 0) {
        if (group !== 0) throw new DecodeFailure('a group does not end');
        break;
      }
      const key = readKey(reader);
      if (key.wire === WIRE.groupEnd) {
        if (key.field !== group) throw new DecodeFailure('a group ends that did not begin');
        break;
      }
      const field = into.type.fields.get(key.field);
      if (field !== undefined && fits(field, key.wire)) this.#known(reader, into, field, key);
      else {
        this.fit.misfits++;
        into.unknown.push(wireField(reader, key, 0));
      }
    }
    for (const field of into.type.required) if (!into.fields.has(field)) this.fit.misfits++;
  }

  #known(reader: ByteReader, into: MessageRead, field: Field, { wire }: FieldKey): void {
    const { type } = field;
    if (typeof type === 'object' && type.kind === 'message') {
      const child = new MessageRead(type);
      if (wire === WIRE.group) {
        this.fit.known++;
        into.add(field, child);
        return reader.nested(() => this.#fields(reader, child, field.number));
      }
      return this.#delimited(reader, into, field, (inside, elements) => {
        this.fit.known++;
        elements.push(child);
        reader.nested(() => this.#fields(inside, child));
        if (field.label === 'map' && child.unknown.length > 0) throw new DecodeFailure('no entry of a map');
      });
    }
    if (wire === wireOf(field)) {
      const again = field.label !== 'repeated' && into.fields.has(field);
      if (again) this.fit.misfits += 0.5;
      return into.add(field, readScalar(reader, type, this.fit));
    }
    this.#delimited(reader, into, field, (packed, elements) => {
      while (packed.left > 0) {
        packed.count();
        elements.push(readScalar(packed, type, this.fit));
      }
    });
  }

  /** Reads what lies behind a length. What is nothing of the kind is kept as the bytes that it is. */
  #delimited(
    reader: ByteReader,
    into: MessageRead,
    field: Field,
    read: (inside: ByteReader, elements: Element[]) => void,
  ): void {
    const length = varint(reader);
    const short = length > reader.left && this.#cut && this.#endsWithAll(reader);
    if (length > reader.left && !short) throw new DecodeFailure('the bytes end too early');
    const bytes = reader.take(short ? reader.left : Number(length));
    const { known, misfits } = this.fit;
    const elements: Element[] = [];
    let end = short ? new DecodeFailure('the bytes end too early') : null;
    try {
      read(reader.inside(bytes), elements);
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
      if (!short && !(error instanceof DecodeLimit)) {
        reader.count(FAILURE_VALUES);
        this.fit.known = known;
        this.fit.misfits = misfits + 1;
        const text = bytes.length <= SHOWN_TEXT_BYTES ? printable(bytes) : null;
        into.unknown.push({ field: field.number, wire: 'bytes', value: text ?? bytesValue(bytes) });
        return;
      }
      end = error;
    }
    for (const element of elements) into.add(field, element);
    if (end !== null) throw end;
  }

  #endsWithAll({ bytes }: ByteReader): boolean {
    const all = this.#reader.bytes;
    return bytes.byteOffset + bytes.length === all.byteOffset + all.length;
  }
}
