import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import wabt from 'wabt';
import {
  createFrameKernel,
  createScriptKernel,
  type FrameKernel,
  KERNEL_BASE64,
  PLAIN_AREA,
  READ_BYTES,
  WriteAreas,
} from '../../src/proxy/frame-kernel.ts';

const KERNELS: readonly (readonly [string, FrameKernel])[] = [
  ['WebAssembly', createFrameKernel()],
  ['script', createScriptKernel()],
];
const KEYS = [0, 0x3d21fa37, -1, 0x80808080 | 0, 0x01020304, -2147483648];
const keyByte = (key: number, i: number): number => (key >>> ((i & 3) * 8)) & 255;

function fill(bytes: Uint8Array, from: number, length: number, seed: number): void {
  for (let i = 0; i < length; i++) bytes[from + i] = (Math.imul(i + seed, 2654435761) >>> 13) & 255;
}

for (const [name, kernel] of KERNELS) {
  const { bytes } = kernel;
  describe(`the kernel in ${name}`, () => {
    it('copies with the change of key, and nothing beside it, for all lengths to 100 and offsets', () => {
      for (let length = 0; length <= 100; length++) {
        for (let offset = 0; offset < 17; offset++) {
          for (const [i, change] of KEYS.entries()) {
            const source = 64 + offset;
            const target = PLAIN_AREA + 64 + ((offset * 5) % 17);
            bytes.fill(0xee, target - 32, target + length + 32);
            fill(bytes, source, length, length + offset);
            const before = bytes.slice(source, source + length);
            const key = KEYS[(i + 1) % KEYS.length] as number;
            const high = kernel.remask(source, target, length, change, key);
            const expected = before.map((byte, at) => byte ^ keyByte(change, at));
            const seen = before.some((byte, at) => ((byte ^ keyByte(key, at)) & 0x80) !== 0);
            const around = [bytes.slice(target - 32, target), bytes.slice(target + length, target + length + 32)];
            if (
              !Buffer.from(bytes.buffer, target, length).equals(expected) ||
              !Buffer.from(bytes.buffer, source, length).equals(before) ||
              (high !== 0) !== seen ||
              around.some((part) => part.some((byte) => byte !== 0xee))
            ) {
              expect.fail(`length ${length}, offset ${offset}, change ${change}, key ${key}`);
            }
          }
        }
      }
    });
    it('finds one byte above 0x7f wherever it is, and none where there is none', () => {
      for (let length = 0; length <= 100; length++) {
        for (let offset = 0; offset < 17; offset++) {
          bytes.fill(0x7f, 0, 256);
          bytes[offset + 31] = 0xff;
          bytes[offset + 32 + length] = 0xff;
          const from = offset + 32;
          expect(kernel.highBits(from, length)).toBe(0);
          expect(kernel.remask(from, PLAIN_AREA, length, 0, 0)).toBe(0);
          for (let at = from; at < from + length; at++) {
            bytes[at] = 0x80;
            if (kernel.highBits(from, length) === 0 || kernel.remask(from, PLAIN_AREA, length, 0, 0) === 0) {
              expect.fail(`length ${length}, offset ${offset}, at ${at - from}`);
            }
            bytes[at] = 0x7f;
          }
        }
      }
    });
    it('does a whole read area at once', () => {
      fill(bytes, 0, READ_BYTES, 3);
      const before = bytes.slice(0, READ_BYTES);
      kernel.remask(0, PLAIN_AREA, READ_BYTES, 0x3d21fa37, 0);
      expect(
        Buffer.from(bytes.buffer, PLAIN_AREA, READ_BYTES).equals(
          before.map((byte, i) => byte ^ keyByte(0x3d21fa37, i)),
        ),
      ).toBe(true);
    });
  });
}

describe('the assembled kernel', () => {
  it('is frame-kernel.wat', async () => {
    const source = readFileSync(new URL('../../src/proxy/frame-kernel.wat', import.meta.url), 'utf8');
    const assembler = await wabt();
    const { buffer } = assembler.parseWat('frame-kernel.wat', source, { simd: true }).toBinary({});
    expect(Buffer.from(buffer).toString('base64')).toBe(KERNEL_BASE64);
  });
});

describe('write areas', () => {
  it('are handed out once each, apart from all others, and the spare one always', () => {
    const areas = new WriteAreas();
    const taken: number[] = [];
    while (areas.next !== areas.spare) {
      taken.push(areas.next);
      areas.take();
    }
    expect(taken).toHaveLength(15);
    const sorted = [...taken, areas.spare].sort((a, b) => a - b);
    expect(sorted[0]).toBeGreaterThanOrEqual(PLAIN_AREA + READ_BYTES);
    for (let i = 1; i < sorted.length; i++) {
      expect((sorted[i] as number) - (sorted[i - 1] as number)).toBeGreaterThanOrEqual(READ_BYTES + 13);
    }
    const { bytes } = createScriptKernel();
    expect((sorted.at(-1) as number) + READ_BYTES + 13).toBeLessThanOrEqual(bytes.length);
    areas.giveBack(taken[3] as number);
    expect(areas.next).toBe(taken[3]);
  });
  it('named as next stay free until they are taken', () => {
    const areas = new WriteAreas();
    expect(areas.next).toBe(areas.next);
  });
});
