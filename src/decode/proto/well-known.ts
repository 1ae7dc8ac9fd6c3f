import { DecodeFailure } from '../byte-reader.ts';
import type { DecodedValue } from '../../contract/decoded.ts';
import type { MessageRead } from './message-read.ts';
import { FAILURE_VALUES, MessageReader } from './message-reader.ts';
import type { MessageView } from './message-view.ts';
import { defaultValue } from './scalar.ts';

interface Known {
  /** Its fields have the numbers up to this. */
  readonly fields: number;
  /** Undefined for what such a type must not hold. */
  readonly show: (message: MessageRead, view: MessageView) => DecodedValue | undefined;
}

/** Types of Google's that mean more than their fields, as JSON has them: https://protobuf.dev/programming-guides/json/ */
const KNOWN: Readonly<Record<string, Known>> = {
  Timestamp: { fields: 2, show: timestamp },
  Duration: { fields: 2, show: duration },
  Any: { fields: 2, show: any },
  Struct: { fields: 1, show: (message, view) => contents(message, view) ?? {} },
  ListValue: { fields: 1, show: (message, view) => contents(message, view) ?? [] },
  Value: { fields: 6, show: value },
  ...Object.fromEntries(
    ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'].map((name) => [
      `${name}Value`,
      { fields: 1, show: wrapped },
    ]),
  ),
};
const PACKAGE = 'google.protobuf.';

const MIN_SECONDS = Date.parse('0001-01-01T00:00:00Z') / 1000;
const MAX_SECONDS = Date.parse('9999-12-31T23:59:59Z') / 1000;
/** 10,000 years: duration.proto. */
const MAX_DURATION_SECONDS = 315_576_000_000;

/** Undefined for all other types, and for values that such a type must not have. */
export function wellKnownValue(message: MessageRead, view: MessageView): DecodedValue | undefined {
  const { name } = message.type;
  if (!name.startsWith(PACKAGE)) return undefined;
  const own = name.slice(PACKAGE.length);
  const known = Object.hasOwn(KNOWN, own) ? KNOWN[own] : undefined;
  // Somebody's own type of this name may have more.
  if (known === undefined || [...message.fields.keys()].some(({ number }) => number > known.fields)) return undefined;
  return known.show(message, view);
}

function timestamp(message: MessageRead): DecodedValue | undefined {
  const [seconds, nanos] = [numberOf(message, 1), numberOf(message, 2)];
  if (seconds === null || nanos === null) return undefined;
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS || nanos < 0 || nanos > 999_999_999) return undefined;
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction(nanos)}Z`;
}

function duration(message: MessageRead): DecodedValue | undefined {
  const [seconds, nanos] = [numberOf(message, 1), numberOf(message, 2)];
  if (seconds === null || nanos === null || Math.abs(seconds) > MAX_DURATION_SECONDS) return undefined;
  if (Math.abs(nanos) > 999_999_999 || seconds * nanos < 0) return undefined;
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  return `${sign}${Math.abs(seconds)}${fraction(Math.abs(nanos))}s`;
}

/** None, three, six or nine digits. */
function fraction(nanos: number): string {
  if (nanos === 0) return '';
  const digits = String(nanos).padStart(9, '0');
  return `.${digits.replace(/(?:000){1,2}$/, '')}`;
}

/** A number that was left out is 0. Null for what is no whole number, or too big for one. */
function numberOf(message: MessageRead, field: number): number | null {
  const elements = message.elements(field);
  if (elements.length === 0) return 0;
  const element = elements.length === 1 ? elements[0] : null;
  return typeof element === 'number' && Number.isSafeInteger(element) ? element : null;
}

/** What is inside, where its type is loaded. */
function any(message: MessageRead, view: MessageView): DecodedValue | undefined {
  const [url, ...moreUrls] = message.elements(1);
  const [bytes = new Uint8Array(0), ...moreBytes] = message.elements(2);
  if (typeof url !== 'string' || !(bytes instanceof Uint8Array) || moreUrls.length + moreBytes.length > 0) {
    return undefined;
  }
  const type = view.typeNamed(url.slice(url.lastIndexOf('/') + 1));
  if (type === undefined || view.reader.exhausted) return undefined;
  try {
    const reader = view.reader.inside(bytes);
    return reader.nested(() => {
      const read = new MessageReader(reader).read(type);
      return read.ended === null ? { $type: url, value: view.message(read.message) } : undefined;
    });
  } catch (error) {
    if (!(error instanceof DecodeFailure)) throw error;
    // Not what its URL says: shown as the bytes that it is.
    view.reader.count(FAILURE_VALUES);
    return undefined;
  }
}

/** Struct is its map, ListValue its list. */
function contents(message: MessageRead, view: MessageView): DecodedValue | undefined {
  const [only] = message.fields;
  return only === undefined ? undefined : view.field(...only);
}

/** The one of its members that is there. */
function value(message: MessageRead, view: MessageView): DecodedValue | undefined {
  const [only, ...more] = message.fields;
  if (only === undefined || more.length > 0) return undefined;
  const [field, elements] = only;
  if (elements.length > 1 && typeof elements[0] !== 'object') return undefined;
  return field.number === 1 ? null : view.field(field, elements);
}

function wrapped(message: MessageRead, view: MessageView): DecodedValue | undefined {
  const field = message.type.fields.get(1);
  if (field === undefined) return undefined;
  const elements = message.elements(1);
  if (elements.length > 1) return undefined;
  return elements[0] === undefined ? defaultValue(field) : view.element(elements[0]);
}
