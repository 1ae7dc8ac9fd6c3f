import { describe, expect, it } from 'vitest';
import { buildFrame } from '../../src/protocol/frame-header.ts';
import { encode, parse } from '../helpers/wire-frames.ts';

const KEY = Buffer.of(0xf7, 0xfa, 0x21, 0x3d);

describe('a frame that the proxy makes', () => {
  it('is written as RFC 6455 §5.2 says, masked or not, for every length form', () => {
    for (const length of [0, 1, 2, 124, 125, 126, 127, 255, 256, 65_534, 65_535]) {
      const payload = Buffer.alloc(length, 'p');
      expect(Buffer.from(buildFrame(9, payload))).toEqual(encode({ opcode: 9, payload }));
      expect(Buffer.from(buildFrame(8, payload, KEY.readInt32BE()))).toEqual(encode({ opcode: 8, payload, key: KEY }));
    }
  });
  it('leaves the payload as it was', () => {
    const payload = Buffer.from('mine');
    const { frames } = parse(Buffer.from(buildFrame(1, payload, KEY.readInt32BE())));
    expect(payload.toString()).toBe('mine');
    expect(frames[0]?.payload.toString()).toBe('mine');
  });
  it('with a key of zero is masked all the same', () => {
    const { frames } = parse(Buffer.from(buildFrame(10, Buffer.from('x'), 0)));
    expect(frames[0]).toMatchObject({ byte1: 0x81, key: Buffer.alloc(4) });
  });
  it('is never longer than the proxy needs', () => {
    expect(() => buildFrame(2, new Uint8Array(65_536))).toThrow(RangeError);
  });
});
