import protobufjs from 'protobufjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DecodedValue } from '../../../src/contract/decoded.ts';
import { decodeAs, MAX_DECODED_BYTES, type Decoded } from '../../../src/decode/decoder.ts';
import { LoadedTypes } from '../../../src/decode/proto/loaded-types.ts';

const SHOP = `syntax = "proto3";
package shop;
enum Side { SIDE_UNKNOWN = 0; BUY = 1; option allow_alias = true; PURCHASE = 1; SELL = 2; }
message Order {
  message Item { string sku = 1; uint32 count = 2; }
  int64 id = 1;
  string user_name = 2;
  repeated int32 lots = 3;
  Side side = 4;
  repeated Item items = 5;
  map<string, Item> by_sku = 6;
  map<int32, Side> sides = 7;
  oneof payment { string iban = 8; Item voucher = 9; bool cash = 10; }
  bytes signature = 11;
  Order parent = 12;
  optional int32 rank = 13;
  float ratio = 14;
}
message Item { int32 other = 99; }`;
const OLD = `package old;
message Base {
  required int32 id = 1;
  optional group Extra = 2 { optional string note = 1; repeated group Part = 2 { optional int32 n = 1; } }
  extensions 100 to 199;
  enum Level { LOW = -1; HIGH = 1; }
  optional Level level = 3 [default = HIGH];
}
extend Base { optional string nick = 100; }
message Scope { extend Base { repeated Scope scopes = 101; } optional bool on = 1; }`;
const EDITION = `edition = "2023";
package ed;
message Wide { Wide inner = 1 [features.message_encoding = DELIMITED]; repeated int32 list = 2 [features.repeated_field_encoding = EXPANDED]; int32 n = 3; }`;

let types: LoadedTypes;
beforeAll(async () => {
  types = new LoadedTypes();
  await types.load([
    { name: 'shop.proto', text: SHOP },
    { name: 'old.proto', text: OLD },
    { name: 'edition.proto', text: EDITION },
  ]);
});

const root = new protobufjs.Root();
for (const text of [SHOP, OLD, EDITION]) protobufjs.parse(text, root, { keepCase: true });
root.resolveAll();
const encode = (type: string, value: Record<string, unknown>): Uint8Array => {
  const Type = root.lookupType(type);
  return Type.encode(Type.fromObject(value)).finish();
};
const decode = (type: string, bytes: Uint8Array): Decoded | null =>
  decodeAs(`protobuf:${type}`, bytes, { opcode: 2, types });
const shown = (type: string, bytes: Uint8Array): DecodedValue | undefined => decode(type, bytes)?.value;
const hex = (...parts: readonly string[]): Uint8Array => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');

describe('a message of a type that is loaded', () => {
  it('has its fields by name: nested, repeated, maps, enums, oneofs, bytes, and 64 bits with all digits', () => {
    const order = {
      id: '9007199254740993',
      user_name: 'Ann',
      lots: [1, -2, 300],
      side: 'SELL',
      items: [{ sku: 'a', count: 1 }, { sku: 'b' }],
      by_sku: { a: { sku: 'a' } },
      sides: { 7: 1, 5: 2 },
      voucher: { sku: 'v' },
      signature: 'AQI=',
      parent: { id: 1 },
      rank: 0,
      ratio: 0.1,
    };
    expect(decode('shop.Order', encode('shop.Order', order))).toMatchObject({
      name: 'protobuf:shop.Order',
      summary:
        'Order {id: 9007199254740993, user_name: "Ann", lots: [… 3], side: "SELL", items: [… 2], by_sku: {…}, …}',
      value: {
        ...order,
        id: { $number: '9007199254740993' },
        sides: {
          $map: [
            [5, 'SELL'],
            [7, 'BUY'],
          ],
        },
        signature: { $bytes: '0102', length: 2 },
      },
    });
  });

  it('shows nothing that is not there, and may be empty', () => {
    expect(shown('shop.Order', new Uint8Array(0))).toEqual({});
    expect(shown('shop.Order', encode('shop.Order', { user_name: 'x' }))).toEqual({ user_name: 'x' });
  });

  it('may have its repeated numbers packed or one by one, whatever the file says', () => {
    expect(shown('shop.Order', hex('18 01', '1a 02 02 03', '18 04'))).toEqual({ lots: [1, 2, 3, 4] });
    expect(shown('ed.Wide', hex('12 02 01 02'))).toEqual({ list: [1, 2] });
  });

  it('keeps what the type does not know, by number and wire type', () => {
    const bytes = hex('08 05', 'a8 06 07', 'b2 06 02 6869', '12 03 ff ff ff');
    expect(shown('shop.Order', bytes)).toEqual({
      id: 5,
      user_name: { $bytes: 'ffffff', length: 3 },
      $unknown: [
        { field: 101, wire: 'varint', value: 7 },
        { field: 102, wire: 'bytes', value: 'hi' },
      ],
    });
    expect(shown('shop.Order', hex('20 63'))).toEqual({ side: 99 });
  });

  it('keeps what the type says otherwise of', () => {
    expect(shown('shop.Order', hex('0a 01 41', '62 03 616263', '10 07'))).toEqual({
      $unknown: [
        { field: 1, wire: 'bytes', value: 'A' },
        { field: 12, wire: 'bytes', value: 'abc' },
        { field: 2, wire: 'varint', value: 7 },
      ],
    });
  });

  it('keeps what is no list of numbers, and no entry of a map', () => {
    expect(shown('shop.Order', hex('1a 02 01 ff', '08 05'))).toEqual({
      id: 5,
      $unknown: [{ field: 3, wire: 'bytes', value: { $bytes: '01ff', length: 2 } }],
    });
    expect(shown('shop.Order', hex('3a 06 08 01 10 01 18 07'))).toEqual({
      $unknown: [{ field: 7, wire: 'bytes', value: { $bytes: '080110011807', length: 6 } }],
    });
  });

  it('takes the last of what comes twice, merges messages, and shows what was overwritten', () => {
    expect(shown('shop.Order', hex('08 01', '08 02', '08 03'))).toEqual({ id: 3, $overwritten: { id: [1, 2] } });
    expect(shown('shop.Order', hex('62 04 0801 1801', '62 04 0802 1802'))).toEqual({
      parent: { id: 2, lots: [1, 2], $overwritten: { id: [1] } },
    });
    expect(shown('shop.Order', hex('42 01 61', '4a 03 0a0162', '50 01'))).toEqual({
      cash: true,
      $overwritten: { iban: ['a'], voucher: [{ sku: 'b' }] },
    });
  });

  it('finds a type from the innermost scope outwards', () => {
    expect(shown('shop.Order', hex('2a 05 0a 01 61 10 02'))).toEqual({ items: [{ sku: 'a', count: 2 }] });
    expect(shown('shop.Item', hex('98 06 02'))).toEqual({ other: 2 });
  });

  it('fills what a map’s entry leaves out', () => {
    expect(shown('shop.Order', hex('32 00', '3a 02 08 02', '32 05 0a 01 61 12 00'))).toEqual({
      by_sku: { '': {}, a: {} },
      sides: { $map: [[2, 'SIDE_UNKNOWN']] },
    });
  });

  it('has groups, required fields, negative enums and extensions in proto2', () => {
    const value = {
      id: -1,
      extra: { note: 'x', part: [{ n: 1 }, {}] },
      level: 'LOW',
      '.old.nick': 'Al',
      '.old.Scope.scopes': [{ on: true }],
    };
    expect(shown('old.Base', encode('old.Base', value))).toEqual({
      id: -1,
      extra: value.extra,
      level: 'LOW',
      '[old.nick]': 'Al',
      '[old.Scope.scopes]': [{ on: true }],
    });
  });

  it('may be delimited in an edition', () => {
    const value = { inner: { inner: { n: 1 }, list: [5, 6] } };
    const bytes = encode('ed.Wide', value);
    expect(bytes[0]).toBe(0x0b);
    expect(shown('ed.Wide', bytes)).toEqual(value);
  });

  it('is none where the bytes are none, or the type is not loaded', () => {
    expect(decode('shop.Order', hex('08'))).toBeNull();
    expect(decode('shop.Order', hex('0f'))).toBeNull();
    expect(decode('shop.Order', hex('0b 08 01'))).toBeNull();
    expect(decode('shop.Order', hex('12 05 61'))).toBeNull();
    expect(decode('shop.Nothing', hex('08 01'))).toBeNull();
    expect(decodeAs('protobuf:shop.Order', hex('08 01'), { opcode: 2 })).toBeNull();
  });

  it('is shown as far as it is there where only its start is', () => {
    const items = Array.from({ length: 3 }, (_, n) => ({ sku: `s${n}`, count: n }));
    const whole = encode('shop.Order', { id: 1, parent: { items } });
    const start = { opcode: 2, types, cut: true };
    expect(decodeAs('protobuf:shop.Order', whole.subarray(0, -1), start)?.value).toEqual({
      id: 1,
      parent: {
        items: [...items.slice(0, 2).map(({ sku, count }) => (count === 0 ? { sku } : { sku, count })), { sku: 's2' }],
      },
    });
    const signature = Buffer.alloc(MAX_DECODED_BYTES).toString('base64');
    const long = encode('shop.Order', { id: 1, signature });
    expect(shown('shop.Order', long)).toEqual({ id: 1 });
    const lots = decodeAs('protobuf:shop.Order', hex('1a 05 01 02 03'), { ...start })?.value;
    expect(lots).toEqual({ lots: [1, 2, 3] });
  });

  it('is cut where it is too much, and says so', () => {
    const many = shown('shop.Order', encode('shop.Order', { lots: new Array(60_000).fill(1) }));
    expect(many).toMatchObject({ $cut: 'more than 50000 values' });
    expect((many as { lots: unknown[] }).lots.length).toBeGreaterThan(49_000);
    let deep: Uint8Array = hex('08 01');
    for (let n = 0; n < 200; n++) {
      deep = Buffer.concat([protobufjs.Writer.create().uint32(98).bytes(deep).finish()]);
    }
    expect(shown('shop.Order', deep)).toMatchObject({ parent: {}, $cut: 'more than 100 levels' });
  });
});
