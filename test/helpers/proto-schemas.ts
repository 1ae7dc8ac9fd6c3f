import fc from 'fast-check';
import protobufjs from 'protobufjs';
import type { DecodedValue } from '../../src/contract/decoded.ts';
import { decodedText } from '../../web/src/detail/decoded-text.ts';

/** A .proto text, made up, and its messages: the one to decode by is `T0`. */
export interface GeneratedSchema {
  /** Without the package: that comes behind the first line. */
  readonly head: string;
  readonly body: string;
  readonly messages: readonly GeneratedMessage[];
}
export interface GeneratedMessage {
  readonly name: string;
  readonly fields: readonly GeneratedField[];
}
interface GeneratedField {
  readonly name: string;
  readonly number: number;
  /** A scalar type, `Kind`, or the name of a message. */
  readonly type: string;
  readonly label: 'singular' | 'repeated' | 'map' | 'oneof';
  readonly key: string;
  readonly packed: boolean | null;
}
/** What protobufjs is given, and how the decoder is to show it. */
export interface GeneratedValue {
  readonly given: Record<string, unknown>;
  readonly shown: DecodedValue;
}

const SCALARS = [
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
];
const KEYS = SCALARS.filter((type) => !['double', 'float', 'bytes'].includes(type));
const KINDS: readonly (readonly [string, number])[] = [
  ['NONE', 0],
  ['ONE', 1],
  ['BIG', 2_147_483_647],
  ['LOW', -2_147_483_648],
  ['MINUS', -1],
];
const MAX_DEPTH = 2;

const fieldNumber = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 536_870_911 }).filter((n) => n < 19_000 || n > 19_999),
);

const messageOf = (at: number, count: number): fc.Arbitrary<GeneratedMessage> => {
  const others = Array.from({ length: count }, (_, i) => `T${i}`);
  const field = fc.record({
    number: fieldNumber,
    type: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...SCALARS) }, fc.constantFrom('Kind', ...others)),
    label: fc.constantFrom('singular', 'repeated', 'map', 'oneof'),
    key: fc.constantFrom(...KEYS),
    packed: fc.constantFrom(null, true, false),
  });
  const fields = fc.uniqueArray(field, { selector: ({ number }) => number, maxLength: 8 });
  return fields.map((all) => ({
    name: `T${at}`,
    fields: all.map((one, i) => ({ ...one, label: one.label, name: `some_field_${i}` })),
  }));
};

export const generatedSchema: fc.Arbitrary<GeneratedSchema> = fc
  .tuple(
    fc.constantFrom('syntax = "proto2";', 'syntax = "proto3";', 'edition = "2023";'),
    fc.integer({ min: 1, max: 4 }),
  )
  .chain(([head, count]) =>
    fc
      .tuple(...Array.from({ length: count }, (_, at) => messageOf(at, count)))
      .map((messages) => ({ head, body: bodyOf(head, messages), messages })),
  );

/** The text with its types in a package. */
export const textOf = ({ head, body }: GeneratedSchema, packageName: string): string =>
  `${head}\npackage ${packageName};\n${body}`;

function bodyOf(head: string, messages: readonly GeneratedMessage[]): string {
  const old = head.includes('proto2');
  const kinds = KINDS.map(([name, number]) => `${name} = ${number};`).join(' ');
  const declaration = ({ name, number, type, label, key, packed }: GeneratedField): string => {
    if (label === 'map') return `map<${key}, ${type}> ${name} = ${number};`;
    if (label !== 'repeated') return `${old && label === 'singular' ? 'optional ' : ''}${type} ${name} = ${number};`;
    const packable = packed !== null && !head.includes('edition') && !/^(?:string|bytes|T\d)$/.test(type);
    return `repeated ${type} ${name} = ${number}${packable ? ` [packed = ${packed}]` : ''};`;
  };
  const blocks = messages.map(({ name, fields }) => {
    const plain = fields.filter(({ label }) => label !== 'oneof').map(declaration);
    const choice = fields.filter(({ label }) => label === 'oneof').map(declaration);
    const oneof = choice.length === 0 ? [] : ['oneof choice {', ...choice, '}'];
    return [`message ${name} {`, ...plain, ...oneof, '}'].join('\n');
  });
  return [`enum Kind { ${kinds} }`, ...blocks].join('\n');
}

/** A value for one of the schema's messages, drawn with `gen`. */
export function valueOf(schema: GeneratedSchema, gen: fc.GeneratorValue, at = 0, depth = 0): GeneratedValue {
  const given: Record<string, unknown> = {};
  const shown: [number, string, DecodedValue][] = [];
  let chosen = false;
  const put = (field: GeneratedField, [value, look]: readonly [unknown, DecodedValue]): void => {
    given[field.name] = value;
    shown.push([field.number, field.name, look]);
  };
  const one = (type: string): readonly [unknown, DecodedValue] => {
    if (!type.startsWith('T')) return scalarOf(type, gen);
    const inner = valueOf(schema, gen, Number(type.slice(1)), depth + 1);
    return [inner.given, inner.shown];
  };
  for (const field of schema.messages[at]?.fields ?? []) {
    if (gen(fc.boolean) || (field.type.startsWith('T') && depth >= MAX_DEPTH)) continue;
    if (field.label === 'oneof') {
      if (chosen) continue;
      chosen = true;
    }
    if (field.label === 'singular' || field.label === 'oneof') {
      const [value, look] = one(field.type);
      const unsaid = field.label === 'singular' && schema.head.includes('proto3') && isDefault(look);
      if (!unsaid) put(field, [value, look]);
      continue;
    }
    const all = Array.from({ length: gen(fc.integer, { min: 1, max: 3 }) }, () => one(field.type));
    if (field.label === 'repeated') put(field, [all.map(([value]) => value), all.map(([, look]) => look)]);
    else put(field, mapOf(field, all, gen));
  }
  shown.sort(([a], [b]) => a - b);
  return { given, shown: Object.fromEntries(shown.map(([, name, look]) => [name, look])) };
}

function mapOf(
  { key }: GeneratedField,
  values: readonly (readonly [unknown, DecodedValue])[],
  gen: fc.GeneratorValue,
): readonly [unknown, DecodedValue] {
  const entries = new Map(
    values.map(([value, look]) => {
      const [, keyLook] = scalarOf(key, gen);
      const text = typeof keyLook === 'string' ? keyLook : decodedText(keyLook);
      return [text, { value, keyLook, look }];
    }),
  );
  const given = Object.fromEntries([...entries].map(([text, { value }]) => [text, value]));
  const looks = Object.keys(given).flatMap((text) => entries.get(text) ?? []);
  const plain = key === 'string' && !Object.keys(given).some((text) => text.startsWith('$') || text === '__proto__');
  const pairs = looks.map(({ keyLook, look }): [DecodedValue, DecodedValue] => [keyLook, look]);
  return [given, plain ? (Object.fromEntries(pairs) as Record<string, DecodedValue>) : { $map: pairs }];
}

/** What proto3 leaves out where a field is not optional. */
function isDefault(look: DecodedValue): boolean {
  if (typeof look === 'object' && look !== null) return 'length' in look && look.length === 0;
  return look === '' || look === false || look === 'NONE' || Object.is(look, 0);
}

const exact = (n: bigint): DecodedValue => (Number.isSafeInteger(Number(n)) ? Number(n) : { $number: String(n) });
const double = (n: number): DecodedValue => (Number.isFinite(n) ? n : { $number: String(n) });

/** Any number that is the same as a float: the decoder shows the one with the fewest digits. */
function sameFloat(n: number): DecodedValue {
  const matcher = { asymmetricMatch: (shown: unknown) => typeof shown === 'number' && Math.fround(shown) === n };
  return { ...matcher, toString: () => `float ${n}` } as unknown as DecodedValue;
}

/** protobufjs' own form of a 64-bit number. */
function longOf(n: bigint, unsigned: boolean): unknown {
  return { low: Number(BigInt.asIntN(32, n)), high: Number(BigInt.asIntN(32, n >> 32n)), unsigned };
}

function scalarOf(type: string, gen: fc.GeneratorValue): readonly [unknown, DecodedValue] {
  const long = (signed: boolean): readonly [unknown, DecodedValue] => {
    const bits = signed ? { min: -(2n ** 63n), max: 2n ** 63n - 1n } : { min: 0n, max: 2n ** 64n - 1n };
    const n = gen(fc.bigInt, bits);
    return [longOf(n, !signed), exact(n)];
  };
  switch (type) {
    case 'double': {
      const n = gen(fc.double);
      return [n, double(n)];
    }
    case 'float': {
      const n = gen(fc.float);
      return [n, n === 0 || !Number.isFinite(n) ? double(n) : sameFloat(n)];
    }
    case 'bool': {
      const value = gen(fc.boolean);
      return [value, value];
    }
    case 'string': {
      const value = gen(fc.string, { unit: 'binary' });
      return [value, value];
    }
    case 'bytes': {
      const value = gen(fc.uint8Array, { maxLength: 20 });
      return [value, { $bytes: Buffer.from(value).toString('hex'), length: value.length }];
    }
    case 'Kind': {
      const [name, number] = KINDS[gen(fc.nat, { max: KINDS.length - 1 })] ?? ['NONE', 0];
      return [number, name];
    }
    case 'uint32':
    case 'fixed32': {
      const n = gen(fc.nat, { max: 4_294_967_295 });
      return [n, n];
    }
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return long(true);
    case 'uint64':
    case 'fixed64':
      return long(false);
    default: {
      const n = gen(fc.integer);
      return [n, n];
    }
  }
}

/** The message `T0` as protobufjs, who knows nothing of our decoder, writes it. */
export function encoded(schema: GeneratedSchema, values: readonly GeneratedValue[]): Uint8Array[] {
  const type = protobufjs.parse(textOf(schema, 'gen'), { keepCase: true }).root.lookupType('gen.T0');
  return values.map(({ given }) => type.encode(given).finish());
}
