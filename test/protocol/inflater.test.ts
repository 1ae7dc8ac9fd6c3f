import { randomBytes } from 'node:crypto';
import { constants, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Inflater, MESSAGE_TAIL, STEP_BYTES, type InflateResult } from '../../src/protocol/inflater.ts';
import { PeerDeflate } from '../helpers/peer-deflate.ts';

const withTail = (compressed: Uint8Array): Uint8Array => Buffer.concat([compressed, MESSAGE_TAIL]);

function inflate(inflater: Inflater, compressed: Uint8Array): { result: InflateResult; bytes: Buffer } {
  inflater.begin(withTail(compressed));
  const parts: Uint8Array[] = [];
  for (;;) {
    const result = inflater.step();
    parts.push(inflater.output.slice());
    if (result !== 'more') return { result, bytes: Buffer.concat(parts) };
  }
}

const compressAll = (messages: readonly Uint8Array[], options: ZlibOptions = {}): Promise<Buffer[]> =>
  new PeerDeflate(options).compressAll(messages);

const words = (n: number, seed: number): Buffer =>
  Buffer.from(Array.from({ length: n }, (_, i) => `word${(i * 7919 + seed * 31) % 997}`).join(' '));

describe('an inflater', () => {
  it('reads the examples of RFC 7692 §7.2.3', () => {
    const inflater = new Inflater();
    const read = (hex: string): string => inflate(inflater, Buffer.from(hex, 'hex')).bytes.toString();
    expect(read('f248cdc9c90700')).toBe('Hello');
    expect(read('f200110000')).toBe('Hello');
    inflater.reset();
    expect(read('000500faff48656c6c6f00')).toBe('Hello');
    expect(read('f348cdc9c9070000')).toBe('Hello');
    expect(read('f248050000 00ffff cac9c90700'.replaceAll(' ', ''))).toBe('Hello');
    expect(read('00')).toBe('');
  });

  it('goes on after a last block that nothing follows', () => {
    const inflater = new Inflater();
    expect(inflate(inflater, deflateRawSync('Hello'))).toMatchObject({ result: 'done' });
    expect(inflate(inflater, Buffer.from('f248cdc9c90700', 'hex')).bytes.toString()).toBe('Hello');
  });

  it.each([8, 9, 10, 11, 12, 13, 14, 15])(
    'keeps its context over messages for a window of %i bits',
    async (windowBits) => {
      const messages = Array.from({ length: 60 }, (_, i) => words(1 + ((i * 37) % 3000), i % 5));
      const compressed = await compressAll(messages, { windowBits });
      const inflater = new Inflater();
      for (const [i, message] of messages.entries()) {
        const { result, bytes } = inflate(inflater, compressed[i]!);
        expect(result).toBe('done');
        expect(Buffer.compare(bytes, message)).toBe(0);
      }
    },
  );

  it('reads whatever zlib writes, at any level, strategy and memory', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 500 }),
            fc.nat(9000).map((n) => words(n, n)),
            fc.nat(70_000).map((n) => new Uint8Array(randomBytes(n))),
            fc.tuple(fc.nat(300_000), fc.nat(255)).map(([n, byte]) => new Uint8Array(n).fill(byte)),
          ),
          { maxLength: 6 },
        ),
        fc.record({
          level: fc.integer({ min: 0, max: 9 }),
          strategy: fc.integer({ min: 0, max: 4 }),
          memLevel: fc.integer({ min: 1, max: 9 }),
          windowBits: fc.integer({ min: 9, max: 15 }),
        }),
        async (messages, options) => {
          const compressed = await compressAll(messages, options);
          const inflater = new Inflater();
          for (const [i, message] of messages.entries()) {
            const { result, bytes } = inflate(inflater, compressed[i]!);
            expect(result).toBe('done');
            expect(Buffer.compare(bytes, message)).toBe(0);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('accepts and refuses the same damaged data as zlib', () => {
    const source = deflateRawSync(words(400, 3), { finishFlush: constants.Z_SYNC_FLUSH });
    const base = source.subarray(0, source.length - 4);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ minLength: 1, maxLength: 40 }),
          fc.tuple(fc.nat(base.length * 8 - 1), fc.nat(base.length * 8 - 1)).map((flips) => {
            const bytes = Uint8Array.from(base);
            for (const bit of flips) bytes[bit >> 3]! ^= 1 << (bit & 7);
            return bytes;
          }),
        ),
        (bytes) => {
          const ours = inflate(new Inflater(), bytes);
          let theirs: Buffer | null = null;
          try {
            theirs = inflateRawSync(withTail(bytes), { finishFlush: constants.Z_SYNC_FLUSH });
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/Z_DATA_ERROR|Z_BUF_ERROR/) as string });
          }
          // What zlib refuses we refuse; where it waits for more, or stops at a last block, its output is our start.
          if (theirs === null) expect(ours.result).not.toBe('done');
          else expect(Buffer.compare(ours.bytes.subarray(0, theirs.length), theirs)).toBe(0);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('puts out what came of a stored block that is cut short, and refuses it', () => {
    expect(inflate(new Inflater(), Uint8Array.of(0, 255))).toEqual({ result: 'invalid', bytes: Buffer.of(255) });
  });

  it('says when a message points back to bytes that it has not seen', async () => {
    const message = words(200, 1);
    const [first, second] = await compressAll([message, message]);
    const inflater = new Inflater();
    expect(inflate(inflater, second!).result).toBe('needs-history');
    inflater.reset();
    expect(inflate(inflater, first!).result).toBe('done');
    expect(inflate(inflater, second!)).toEqual({ result: 'done', bytes: message });
  });

  it('can be set back to any message whose window was saved', async () => {
    const messages = Array.from({ length: 30 }, (_, i) => words(900, i % 3));
    const compressed = await compressAll(messages);
    const inflater = new Inflater();
    const windows = messages.map((_, i) => {
      const window = inflater.saveWindow();
      inflate(inflater, compressed[i]!);
      return window;
    });
    for (const i of [17, 3, 29, 0]) {
      const other = new Inflater();
      other.restoreWindow(windows[i]!);
      expect(inflate(other, compressed[i]!).bytes).toEqual(messages[i]);
    }
    expect(Math.max(...windows.map((w) => w.length))).toBe(32_768);
  });

  it('puts out no more than a step at a time, however much there is to come', () => {
    const bomb = deflateRawSync(Buffer.alloc(64 << 20));
    const inflater = new Inflater();
    inflater.begin(withTail(bomb));
    let total = 0;
    let result: InflateResult = 'more';
    while (result === 'more') {
      result = inflater.step();
      expect(inflater.output.length).toBeLessThan(STEP_BYTES + 258);
      total += inflater.output.length;
    }
    expect({ result, total }).toEqual({ result: 'done', total: 64 << 20 });
  });

  it('does a bounded amount in a step for blocks that hold nothing', () => {
    const inflater = new Inflater();
    inflater.begin(new Uint8Array(5 * 10_000).map((_, i) => (i % 5 < 3 ? 0 : 255)));
    expect(inflater.step()).toBe('more');
    let steps = 1;
    while (inflater.step() === 'more') steps++;
    expect(steps).toBeGreaterThan(30);
  });
});
