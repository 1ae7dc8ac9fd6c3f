import { describe, expect, test } from 'vitest';
import { drawFields, frameFields, headerBytes } from '../../../web/src/detail/frame-fields.ts';
import { bitsOf } from '../../../web/src/capture/stored-row.ts';
import { fakeFrame, fakeRow, wireBytes } from '../mock-capture.ts';

describe("a frame's fields", () => {
  test('are those of RFC 6455 §5.7: a masked "Hello"', () => {
    // 0x81 0x85 0x37 0xfa 0x21 0x3d 0x7f 0x9f 0x4d 0x51 0x58
    const fields = frameFields({ bits: 0x81 | (0x85 << 8), payloadLength: 5, maskingKey: 0x37fa213d });
    expect(fields.map(({ name, bitStart, bitLength, value }) => [name, bitStart, bitLength, value])).toEqual([
      ['FIN', 0, 1, '1'],
      ['RSV1', 1, 1, '0'],
      ['RSV2', 2, 1, '0'],
      ['RSV3', 3, 1, '0'],
      ['opcode', 4, 4, '0001'],
      ['MASK', 8, 1, '1'],
      ['payload len', 9, 7, '5'],
      ['masking key', 16, 32, '37fa213d'],
    ]);
  });

  test.each([
    [0x7d, 125, 2],
    [0x7e, 256, 4],
    [0x7f, 65_536, 10],
  ])('a length byte of %i for %i bytes makes a header of %i', (short, payloadLength, header) => {
    const bits = 0x82 | (short << 8);
    expect(headerBytes(bits)).toBe(header);
    const fields = frameFields({ bits, payloadLength, maskingKey: 0 });
    const last = fields.at(-1);
    expect((last?.bitStart ?? 0) + (last?.bitLength ?? 0)).toBe(header * 8);
    expect(last?.value).toBe(String(payloadLength));
  });

  test('take up exactly the bytes before the payload, for every kind of frame', () => {
    for (let index = 0; index < 100; index += 1) {
      const bits = bitsOf(fakeRow(index, 0));
      expect(headerBytes(bits)).toBe(wireBytes(index).length - fakeFrame(index).payload.length);
    }
  });

  test('are drawn 32 bits wide without a hole', () => {
    const pieces = drawFields(frameFields({ bits: 0x81 | (0xff << 8), payloadLength: 70_000, maskingKey: 1 }));
    let at = 0;
    for (const piece of pieces) {
      expect(piece.row * 32 + piece.column).toBe(at);
      expect(piece.column + piece.width).toBeLessThanOrEqual(32);
      at += piece.width;
    }
    expect(at).toBe(14 * 8);
  });
});
