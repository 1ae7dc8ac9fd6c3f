import { describe, expect, it } from 'vitest';
import { applyMask, rotateKey, swapKey } from '../../src/protocol/mask.ts';
import { xor } from '../helpers/wire-frames.ts';

const KEYS = [0, 0x37fa213d, 0x80000001 | 0, -1, 0x00ff0080].map((key) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(key);
  return { key, bytes };
});

describe('masking', () => {
  it('gives the bytes of the example in RFC 6455 §5.7', () => {
    const bytes = Buffer.from('Hello');
    applyMask(bytes, 0x37fa213d);
    expect(bytes.toString('hex')).toBe('7f9f4d5158');
  });
  it('is what §5.3 says, for all lengths to 100, offsets into the payload and places in the buffer', () => {
    for (const { key, bytes: keyBytes } of KEYS) {
      for (let length = 0; length <= 100; length++) {
        for (let offset = 0; offset < 8; offset++) {
          const plain = Buffer.from(Array.from({ length: offset + length }, (_, i) => (i * 37 + 11) & 255));
          const area = Buffer.alloc(3 + length + 3, 0xee);
          plain.copy(area, 3, offset);
          applyMask(area.subarray(3, 3 + length), key, offset);
          const expected = xor(plain, keyBytes).subarray(offset);
          expect(area.equals(Buffer.concat([Buffer.alloc(3, 0xee), expected, Buffer.alloc(3, 0xee)]))).toBe(true);
        }
      }
    }
  });
  it('done twice gives the plain bytes back', () => {
    const bytes = Buffer.from('any bytes at all');
    applyMask(bytes, -123456789, 5);
    applyMask(bytes, -123456789, 5);
    expect(bytes.toString()).toBe('any bytes at all');
  });
});

describe('keys', () => {
  it('rotate a byte for each payload byte before', () => {
    expect([0, 1, 2, 3, 4].map((offset) => (rotateKey(0x01020384, offset) >>> 0).toString(16))).toEqual([
      '1020384',
      '2038401',
      '3840102',
      '84010203',
      '1020384',
    ]);
  });
  it('read the other way round and back are the same', () => {
    expect((swapKey(0x01020384) >>> 0).toString(16)).toBe('84030201');
    for (const { key } of KEYS) expect(swapKey(swapKey(key))).toBe(key);
  });
});
