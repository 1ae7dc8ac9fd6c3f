import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ByteReader } from '../../../src/decode/byte-reader.ts';
import { decode, decodeAs, lookAt, type Decoded } from '../../../src/decode/decoder.ts';
import { LoadedTypes } from '../../../src/decode/proto/loaded-types.ts';
import { FAILURE_VALUES, MESSAGE_VALUES } from '../../../src/decode/proto/message-reader.ts';
import { MessageView } from '../../../src/decode/proto/message-view.ts';
import { ALL_READ_VALUES } from '../../../src/decode/proto/type-fit.ts';
import { MAX_VALUES } from '../../../src/decode/value.ts';
import { encoded, generatedSchema, textOf, valueOf } from '../../helpers/proto-schemas.ts';

/** A type of every kind under each of the first field numbers, itself among them. */
const HOSTILE = `syntax = "proto2";
package h;
import "google/protobuf/any.proto";
message Node {
  repeated Node nodes = 1;
  optional Node node = 2;
  optional group Group = 3 { optional Node node = 2; repeated Group groups = 3; }
  map<string, Node> map = 4;
  repeated int64 packed = 5;
  oneof one { Node left = 6; string right = 7; }
  optional google.protobuf.Any any = 8;
  repeated google.protobuf.Any anys = 9;
  optional bytes raw = 10;
  required double must = 11;
  repeated string texts = 12;
  optional int32 number = 13;
  enum Kind { A = 0; }
  repeated Kind kinds = 14;
  optional float ratio = 15;
}`;
const NODE = 'protobuf:h.Node';
const MIB = 1 << 20;

let types: LoadedTypes;
beforeAll(async () => {
  types = new LoadedTypes();
  await types.load([{ name: 'hostile.proto', text: HOSTILE }]);
});

function isBounded(decoded: Decoded | null): void {
  expect(JSON.stringify(decoded).length).toBeLessThan(8_000_000);
}

/** Each wrapped in the ones before, as often as it goes into a megabyte. */
function nestedIn(tag: number, innermost: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(MIB);
  let from = MIB - innermost.length;
  bytes.set(innermost, from);
  while (from > 8) {
    const lengthBytes: number[] = [];
    for (let length = MIB - from; ; length >>>= 7) {
      lengthBytes.push(length > 127 ? (length & 127) | 128 : length);
      if (length <= 127) break;
    }
    from -= lengthBytes.length + 1;
    bytes.set([tag, ...lengthBytes], from);
  }
  return bytes.subarray(from);
}
const repeated = (hex: string): Uint8Array => Buffer.alloc(MIB, Buffer.from(hex.replaceAll(' ', ''), 'hex'));
/** An Any of a node, that has an Any of a node, and so on. */
function anyInAny(): Uint8Array {
  let bytes = Buffer.from([0x6a, 0]);
  for (let n = 0; n < 2000; n++) {
    const length = (value: number): number[] => [(value & 127) | 128, ((value >> 7) & 127) | 128, value >> 14];
    const any = Buffer.concat([Buffer.from('\x0a\x07/h.Node\x12', 'latin1'), Buffer.from(length(bytes.length)), bytes]);
    bytes = Buffer.concat([Buffer.from([0x42, ...length(any.length)]), any]);
  }
  return bytes;
}

/** Messages of a few bytes in each other: as many of them as there can be. */
function bushy(bytes: number): Uint8Array {
  let tree = Buffer.from('6801', 'hex');
  while (2 * tree.length + 10 < bytes) {
    const length: number[] = [];
    for (let left = tree.length; ; left >>>= 7) {
      length.push(left > 127 ? (left & 127) | 128 : left);
      if (left <= 127) break;
    }
    tree = Buffer.concat([...Array.from({ length: 2 }, () => [Buffer.from([0x0a, ...length]), tree]).flat()]);
  }
  return tree;
}

describe('one look at hostile bytes, when many types are loaded', () => {
  const alike = Array.from({ length: 20 }, (_, i) =>
    HOSTILE.replace('package h', `package h${i}`).replace('required', 'optional'),
  );
  let many: LoadedTypes;
  beforeAll(async () => {
    many = new LoadedTypes();
    await many.load(alike.map((text, i) => ({ name: `${i}.proto`, text })));
  });
  afterEach(() => vi.restoreAllMocks());

  const payloads: [string, () => Uint8Array][] = [
    ['messages in messages', () => bushy(116_000)],
    ['one message in the other', () => nestedIn(0x0a, Buffer.from('6801', 'hex'))],
    ['empty messages', () => repeated('0a 00').subarray(0, 116_000)],
    ['numbers of a list', () => repeated('28 01').subarray(0, 116_000)],
  ];
  it.each(payloads)('costs about what decoding by one type costs: %s', (_, make) => {
    const bytes = make();
    const counted = vi.spyOn(ByteReader.prototype, 'count');
    const values = (): number => counted.mock.calls.reduce((sum, [more = 1]) => sum + more, 0);
    decode(bytes, { opcode: 2 });
    const untyped = values();
    counted.mockClear();
    const { candidates } = lookAt(bytes, { opcode: 2, types: many, hint: 'protobuf:h7.Node' });
    expect(candidates.filter(({ name }) => name.startsWith('protobuf:'))).not.toEqual([]);
    // The outermost fields for all types and for the one, the starts by all, the whole by one, and what was one value too much.
    expect(values() - untyped).toBeLessThanOrEqual(3 * (MAX_VALUES + 1) + ALL_READ_VALUES + 100 * FAILURE_VALUES);
  });

  it.each(payloads)('decodes by one type at most: %s', (_, make) => {
    const decoded = vi.spyOn(MessageView.prototype, 'message');
    lookAt(make(), { opcode: 2, types: many, hint: 'protobuf:h7.Node' });
    const packages = new Set(decoded.mock.calls.map(([{ type }]) => type.name.split('.')[0]));
    expect(packages.size).toBe(1);
    expect(decoded.mock.calls.length).toBeLessThanOrEqual(MAX_VALUES / MESSAGE_VALUES + 1);
  });
});

describe('hostile bytes under a type that is loaded', () => {
  it.each<[string, () => Uint8Array]>([
    ['a megabyte of noise', () => new Uint8Array(randomBytes(MIB))],
    ['groups in groups', () => repeated('1b')],
    ['messages in messages', () => nestedIn(0x12, Buffer.from('6801', 'hex'))],
    ['messages in messages, and no message at their bottom', () => nestedIn(0x0a, Buffer.from('ff', 'hex'))],
    ['a member of a oneof in itself', () => nestedIn(0x32, Buffer.from('6801', 'hex'))],
    ['maps in maps', () => nestedIn(0x22, Buffer.from('0a00', 'hex'))],
    ['Any in Any', anyInAny],
    ['Any after Any', () => repeated('4a 0c 0a 07 2f682e4e6f6465 12 01 00')],
    ['empty messages', () => repeated('0a 00')],
    ['the same message again and again', () => repeated('12 02 68 01')],
    ['members of a oneof in turn', () => repeated('32 00 3a 00')],
    ['a number again and again', () => repeated('68 01')],
    ['one long packed field', () => Buffer.concat([Buffer.from('2afcff3f', 'hex'), Buffer.alloc(MIB - 4, 1)])],
    ['numbers of ten bytes', () => repeated('28 ff ff ff ff ff ff ff ff ff 01')],
    ['numbers without end', () => repeated('ff')],
    ['fields that the type does not have', () => repeated('a0 06 01')],
    ['texts that are none', () => repeated('62 02 c0 80')],
    ['lengths that are too long', () => repeated('12 ff ff ff ff 0f')],
  ])('are decoded within bounds: %s', (_, make) => {
    const bytes = make();
    for (const cut of [false, true]) {
      isBounded(decodeAs(NODE, bytes, { opcode: 2, types, cut }));
      isBounded(lookAt(bytes, { opcode: 2, types, cut }).chosen);
    }
    isBounded(decode(bytes, { opcode: 1, types, hint: NODE }));
  });

  it('never make it throw', () => {
    const tag = fc.integer({ min: 1, max: 16 }).chain((n) => fc.constantFrom(0, 1, 2, 3, 4, 5).map((w) => n * 8 + w));
    const piece = fc.oneof(
      tag.map((one) => [one]),
      fc.tuple(tag, fc.uint8Array({ maxLength: 12 })).map(([one, bytes]) => [one, bytes.length, ...bytes]),
      fc.uint8Array({ maxLength: 4 }).map((bytes) => [...bytes]),
    );
    const payload = fc.array(piece, { maxLength: 40 }).map((pieces) => Uint8Array.from(pieces.flat()));
    fc.assert(
      fc.property(payload, fc.constantFrom(1, 2), fc.boolean(), (bytes, opcode, cut) => {
        const context = { opcode, types, cut, hint: NODE };
        const decoded = decode(bytes, context);
        expect(() => JSON.stringify(decoded.value)).not.toThrow();
        expect(decoded.summary).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
        for (const { score } of lookAt(bytes, context).candidates) expect(score >= 0 && score <= 1).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it('never make any type throw: messages with bytes turned over, left out and put in', async () => {
    const schemas = fc.array(generatedSchema, { minLength: 1, maxLength: 10, size: 'max' });
    await fc.assert(
      fc.asyncProperty(schemas, fc.gen(), async (all, gen) => {
        const own = new LoadedTypes();
        await own.load(all.map((schema, i) => ({ name: `${i}.proto`, text: textOf(schema, `p${i}`) })));
        for (const [i, schema] of all.entries()) {
          const values = Array.from({ length: 5 }, () => valueOf(schema, gen));
          for (const whole of encoded(schema, values)) {
            const at = gen(fc.nat, { max: whole.length });
            const wrong = gen(fc.uint8Array, { maxLength: 3 });
            const bytes = Buffer.concat([whole.subarray(0, at), wrong, whole.subarray(at + gen(fc.nat, { max: 3 }))]);
            const context = { opcode: 2, types: own, cut: gen(fc.boolean) };
            isBounded(decodeAs(`protobuf:p${i}.T0`, bytes, context));
            expect(lookAt(bytes, context).candidates.length).toBeGreaterThan(0);
          }
        }
      }),
      { numRuns: 10 },
    );
  });
});
