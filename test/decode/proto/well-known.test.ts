import protobufjs from 'protobufjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DecodedValue } from '../../../src/contract/decoded.ts';
import { decodeAs } from '../../../src/decode/decoder.ts';
import { LoadedTypes } from '../../../src/decode/proto/loaded-types.ts';

const FILES = ['any', 'duration', 'field_mask', 'struct', 'timestamp', 'wrappers'];
const KNOWN = `syntax = "proto3";
package known;
${FILES.map((name) => `import "google/protobuf/${name}.proto";`).join('\n')}
message Known {
  google.protobuf.Timestamp at = 1;
  google.protobuf.Duration took = 2;
  google.protobuf.Struct extra = 3;
  google.protobuf.Value any_json = 4;
  google.protobuf.Int64Value maybe = 5;
  google.protobuf.BytesValue blob = 6;
  google.protobuf.Any detail = 7;
  google.protobuf.FieldMask mask = 8;
  google.protobuf.StringValue word = 9;
  repeated google.protobuf.Any details = 10;
}
message Item { int32 other = 99; }`;

let types: LoadedTypes;
beforeAll(async () => {
  types = new LoadedTypes();
  await types.load([{ name: 'known.proto', text: KNOWN }]);
});

const root = new protobufjs.Root();
for (const name of FILES) root.addJSON(protobufjs.common.get(`google/protobuf/${name}.proto`)?.nested ?? {});
protobufjs.parse(KNOWN, root, { keepCase: true });
root.resolveAll();
const encode = (type: string, value: Record<string, unknown>): Uint8Array => {
  const Type = root.lookupType(type);
  return Type.encode(Type.fromObject(value)).finish();
};
const shown = (type: string, bytes: Uint8Array): DecodedValue | undefined =>
  decodeAs(`protobuf:${type}`, bytes, { opcode: 2, types })?.value;
const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('Google’s well-known types', () => {
  it('are shown as JSON has them', () => {
    const value = {
      at: { seconds: 1_700_000_000, nanos: 5_000 },
      took: { seconds: -3, nanos: -500_000_000 },
      extra: {
        fields: { list: { listValue: { values: [{ numberValue: 1.5 }, { nullValue: 0 }] } }, on: { boolValue: true } },
      },
      any_json: { structValue: { fields: { deep: { stringValue: 'x' } } } },
      maybe: { value: '-9223372036854775808' },
      blob: {},
      mask: { paths: ['a', 'b.c'] },
      word: { value: 'hi' },
    };
    expect(shown('known.Known', encode('known.Known', value))).toEqual({
      at: '2023-11-14T22:13:20.000005Z',
      took: '-3.500s',
      extra: { list: [1.5, null], on: true },
      any_json: { deep: 'x' },
      maybe: { $number: '-9223372036854775808' },
      blob: { $bytes: '', length: 0 },
      mask: { paths: ['a', 'b.c'] },
      word: 'hi',
    });
  });

  it('are shown by their fields where their values mean nothing', () => {
    const value = { at: { seconds: 1, nanos: -1 }, took: { seconds: 1, nanos: -1 }, any_json: {} };
    expect(shown('known.Known', encode('known.Known', value))).toEqual(value);
    const late = { at: { seconds: '253402300800' } };
    expect(shown('known.Known', encode('known.Known', late))).toEqual({ at: { seconds: 253402300800 } });
    expect(shown('known.Known', encode('known.Known', { at: { seconds: -62135596800 }, took: {} }))).toEqual({
      at: '0001-01-01T00:00:00Z',
      took: '0s',
    });
  });

  it('Any is opened where its type is loaded, and stays as it is elsewhere', () => {
    const inside = { type_url: 'type.googleapis.com/known.Item', value: encode('known.Item', { other: 5 }) };
    const nested = { type_url: 'x/google.protobuf.Any', value: encode('google.protobuf.Any', inside) };
    const unknown = { type_url: 'type.googleapis.com/no.Such', value: Uint8Array.of(8, 1) };
    const wrong = { type_url: 'type.googleapis.com/known.Item', value: Uint8Array.of(8) };
    const details = [inside, nested, unknown, wrong].map(({ type_url, value }) => ({ type_url, value }));
    expect(shown('known.Known', encode('known.Known', { details }))).toEqual({
      details: [
        { $type: 'type.googleapis.com/known.Item', value: { other: 5 } },
        {
          $type: 'x/google.protobuf.Any',
          value: { $type: 'type.googleapis.com/known.Item', value: { other: 5 } },
        },
        { type_url: 'type.googleapis.com/no.Such', value: { $bytes: '0801', length: 2 } },
        { type_url: 'type.googleapis.com/known.Item', value: { $bytes: '08', length: 1 } },
      ],
    });
  });

  it('that somebody has made anew are shown by what they have', async () => {
    const own = new LoadedTypes();
    const text = `syntax = "proto3"; package google.protobuf; message Timestamp { double seconds = 1; string zone = 3; }`;
    await own.load([{ name: 'timestamp.proto', text }]);
    const of = (text: string): DecodedValue | undefined =>
      decodeAs('protobuf:google.protobuf.Timestamp', hex(text), { opcode: 2, types: own })?.value;
    expect(of('1a 01 5a')).toEqual({ zone: 'Z' });
    expect(of('09 000000000000f83f')).toEqual({ seconds: 1.5 });
  });
});
