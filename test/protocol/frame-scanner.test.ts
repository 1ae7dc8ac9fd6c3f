import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { ViolationBit, violationCodes } from '../../src/contract/violations.ts';
import { FrameScanner, type NegotiatedExtensions, Scan } from '../../src/protocol/frame-scanner.ts';
import { PayloadChecker } from '../../src/protocol/payload-checker.ts';
import { applyMask } from '../../src/protocol/mask.ts';
import { scan } from '../helpers/scanned-frames.ts';
import { cutAt, eachByte, encode, splits, type WireFrame } from '../helpers/wire-frames.ts';

const KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);
const EXTENSIONS: readonly NegotiatedExtensions[] = ['none', 'permessage-deflate', 'unknown'];

/** A header with a 64-bit length that no number can count. */
function lostHeader(high: number, key: Uint8Array | null = null): Buffer {
  const header = Buffer.alloc(10);
  header[0] = 0x82;
  header[1] = 127 | (key === null ? 0 : 0x80);
  header.writeUInt32BE(high, 2);
  return Buffer.concat([header, key ?? Buffer.alloc(0)]);
}

describe('one frame', () => {
  const frames: readonly WireFrame[] = [
    { opcode: 1, payload: 'Hello' },
    { opcode: 1, payload: 'Hello', key: KEY },
    { opcode: 2, payload: '' },
    { opcode: 2, payload: '', key: KEY },
    { opcode: 2, payload: Buffer.alloc(125, 1), key: KEY },
    { opcode: 2, payload: Buffer.alloc(126, 2), key: KEY },
    { opcode: 2, payload: Buffer.alloc(300, 3) },
    { opcode: 9, payload: 'x', lengthBits: 16 },
    { opcode: 9, payload: 'x', lengthBits: 64, key: KEY },
    { opcode: 0, fin: false, rsv: 7, payload: 'abc' },
    { opcode: 13, fin: false, rsv: 1, payload: 'abc', lengthBits: 64 },
  ];
  for (const frame of frames) {
    const bytes = encode(frame);
    const name = bytes.subarray(0, 14).toString('hex');
    const masked = frame.key !== undefined;
    const whole = scan([bytes], { masked }).frames;

    it(`${name} is found with its header and payload`, () => {
      const payload = Buffer.from(frame.payload ?? '');
      expect(whole).toHaveLength(1);
      expect(whole[0]).toMatchObject({
        byte0: bytes[0],
        byte1: bytes[1],
        payloadLength: payload.length,
        headerLength: bytes.length - payload.length,
        maskingKey: masked ? Buffer.from(KEY).readInt32BE() : 0,
        streamOffset: 0,
        complete: true,
        payload: bytes.subarray(bytes.length - payload.length),
      });
    });
    it(`${name} is the same cut in two anywhere, and byte by byte`, () => {
      for (const position of splits(bytes.length)) {
        expect(scan(cutAt(bytes, [position]), { masked }).frames).toEqual(whole);
      }
      expect(scan(eachByte(bytes), { masked }).frames).toEqual(whole);
    });
  }

  it('is not there before its header is whole', () => {
    const header = encode({ opcode: 2, payload: Buffer.alloc(70_000), key: KEY }).subarray(0, 14);
    for (let length = 0; length < 14; length++) {
      const { frames, heldHeaderBytes, scanner } = scan(eachByte(header.subarray(0, length)), { masked: true });
      expect(frames).toEqual([]);
      expect(heldHeaderBytes).toBe(length);
      expect(scanner.inFrame).toBe(false);
      expect(Buffer.from(scanner.heldHeader.subarray(0, length))).toEqual(header.subarray(0, length));
    }
    expect(scan([header], { masked: true }).frames).toHaveLength(1);
  });

  it('is told as begun before its payload has come', () => {
    const { frames, scanner } = scan([Buffer.of(0x82, 5)]);
    expect(frames[0]).toMatchObject({ payloadLength: 5, complete: false });
    expect(scanner.inFrame).toBe(true);
  });
});

describe('many frames', () => {
  const sequence = Buffer.concat([
    encode({ opcode: 1, fin: false, payload: 'He' }),
    encode({ opcode: 9, payload: 'ping' }),
    encode({ opcode: 0, payload: 'llo' }),
    encode({ opcode: 2, payload: Buffer.alloc(130, 7) }),
    encode({ opcode: 10 }),
    encode({ opcode: 8, payload: Buffer.of(3, 232) }),
  ]);
  const whole = scan([sequence]).frames;

  it('in one chunk come one by one with their place in the stream', () => {
    expect(whole.map((frame) => frame.streamOffset)).toEqual([0, 4, 10, 15, 149, 151]);
    expect(whole.map((frame) => frame.violations)).toEqual([[], [], [], [], [], []]);
    expect(whole.map((frame) => frame.messageOpcode)).toEqual([1, 1, 1, 2, 2, 2]);
  });
  it('are the same cut in three anywhere', () => {
    for (let first = 0; first <= sequence.length; first++) {
      for (let second = first; second <= sequence.length; second += 3) {
        expect(scan(cutAt(sequence, [first, second])).frames).toEqual(whole);
      }
    }
  });
});

describe('what each frame is blamed for', () => {
  const of = (frame: WireFrame, options: { masked?: boolean; extensions?: NegotiatedExtensions } = {}) =>
    scan([encode(frame)], options).frames[0]?.violations;

  it('opcodes 3-7 and 11-15 are reserved', () => {
    for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) expect(of({ opcode })).toEqual(['reserved-opcode']);
    for (const opcode of [1, 2, 8, 9, 10]) expect(of({ opcode })).toEqual([]);
  });
  it('RSV bits need an extension', () => {
    for (const rsv of [1, 2, 3, 4, 5, 6, 7]) expect(of({ opcode: 2, rsv })).toEqual(['rsv-without-extension']);
    expect(of({ opcode: 2, rsv: 4 }, { extensions: 'permessage-deflate' })).toEqual([]);
    expect(of({ opcode: 2, rsv: 2 }, { extensions: 'permessage-deflate' })).toEqual(['rsv-without-extension']);
    expect(of({ opcode: 2, rsv: 7 }, { extensions: 'unknown' })).toEqual([]);
  });
  it('RSV1 belongs on the first frame of a compressed message alone', () => {
    const deflate = { extensions: 'permessage-deflate' } as const;
    expect(of({ opcode: 9, rsv: 4 }, deflate)).toEqual(['rsv1-on-control']);
    const frames = Buffer.concat([
      encode({ opcode: 2, rsv: 4, fin: false, payload: 'a' }),
      encode({ opcode: 0, rsv: 4, fin: false, payload: 'b' }),
      encode({ opcode: 0, payload: 'c' }),
      encode({ opcode: 2, payload: 'd' }),
    ]);
    const found = scan([frames], deflate).frames;
    expect(found.map((frame) => frame.violations)).toEqual([[], ['rsv1-on-continuation'], [], []]);
    expect(found.map((frame) => frame.messageCompressed)).toEqual([true, true, true, false]);
  });
  it('control frames are whole and short', () => {
    expect(of({ opcode: 9, fin: false })).toEqual(['fragmented-control']);
    expect(of({ opcode: 8, payload: Buffer.alloc(126) })).toEqual(['control-too-long']);
    expect(of({ opcode: 10, payload: Buffer.alloc(125) })).toEqual([]);
    expect(of({ opcode: 9, payload: Buffer.alloc(70_000), fin: false })).toEqual([
      'fragmented-control',
      'control-too-long',
    ]);
  });
  it('a continuation continues something, and a message ends before the next', () => {
    expect(of({ opcode: 0 })).toEqual(['unexpected-continuation']);
    expect(of({ opcode: 0, fin: false })).toEqual(['unexpected-continuation']);
    const bytes = Buffer.concat([
      encode({ opcode: 1, fin: false }),
      encode({ opcode: 2, fin: false }),
      encode({ opcode: 0 }),
      encode({ opcode: 0 }),
    ]);
    expect(scan([bytes]).frames.map((frame) => frame.violations)).toEqual([
      [],
      ['interleaved-message'],
      [],
      ['unexpected-continuation'],
    ]);
  });
  it('clients mask and servers do not', () => {
    expect(of({ opcode: 1 }, { masked: true })).toEqual(['unmasked-client-frame']);
    expect(of({ opcode: 1, key: KEY }, { masked: false })).toEqual(['masked-server-frame']);
    expect(of({ opcode: 1, key: KEY }, { masked: true })).toEqual([]);
  });
  it('lengths are written in the fewest bytes', () => {
    expect(of({ opcode: 2, payload: Buffer.alloc(125), lengthBits: 16 })).toEqual(['non-minimal-length']);
    expect(of({ opcode: 2, payload: Buffer.alloc(126), lengthBits: 16 })).toEqual([]);
    expect(of({ opcode: 2, payload: Buffer.alloc(65_535), lengthBits: 64 })).toEqual(['non-minimal-length']);
    expect(of({ opcode: 2, payload: Buffer.alloc(65_536), lengthBits: 64 })).toEqual([]);
    expect(of({ opcode: 2, lengthBits: 64 })).toEqual(['non-minimal-length']);
  });
  it('nothing follows a close frame', () => {
    const bytes = Buffer.concat([encode({ opcode: 8 }), encode({ opcode: 1 }), encode({ opcode: 8 })]);
    expect(scan([bytes]).frames.map((frame) => frame.violations)).toEqual([
      [],
      ['frame-after-close'],
      ['frame-after-close'],
    ]);
  });
});

describe('a length over 2^53-1', () => {
  it('ends the scanning, cut anywhere, and says where it stands', () => {
    for (const key of [null, KEY]) {
      const before = encode({ opcode: 1, payload: 'before', key });
      const header = lostHeader(0x0020_0000, key);
      const bytes = Buffer.concat([before, header, Buffer.from('what comes after it')]);
      for (const position of splits(bytes.length)) {
        const { frames } = scan(cutAt(bytes, [position]), { masked: key !== null });
        expect(frames).toHaveLength(2);
        expect(frames[1]).toMatchObject({
          lost: true,
          complete: false,
          streamOffset: before.length,
          headerLength: header.length,
          payloadLength: 2 ** 53,
          violations: ['length-out-of-range'],
          payload: Buffer.alloc(0),
        });
      }
    }
  });
  it('has its header right before what it gives as payload', () => {
    const scanner = new FrameScanner({ masked: false, extensions: 'none' });
    const bytes = Buffer.concat([Buffer.of(0x89, 0), lostHeader(0xffff_ffff), Buffer.alloc(20)]);
    expect(scanner.next(bytes, bytes.length)).toBe(Scan.Piece);
    expect(scanner.next(bytes, bytes.length)).toBe(Scan.Lost);
    expect(scanner.payloadStart - scanner.headerLength).toBe(2);
    expect(scanner.next(bytes, bytes.length)).toBe(Scan.End);
    scanner.begin(bytes.length);
    expect(scanner.next(bytes, bytes.length)).toBe(Scan.End);
  });
  it('is one more than what can be followed', () => {
    const bytes = Buffer.alloc(10);
    bytes.set([0x82, 127]);
    bytes.writeBigUInt64BE(2n ** 53n - 1n, 2);
    const [frame] = scan([bytes]).frames;
    expect(frame).toMatchObject({ lost: false, payloadLength: Number.MAX_SAFE_INTEGER, violations: [] });
  });
});

describe('all 65,536 first two bytes', () => {
  for (const extensions of EXTENSIONS) {
    for (const masked of [true, false]) {
      it(`have a defined outcome and the marks that are due: ${extensions}, ${masked ? 'from the client' : 'from the server'}`, () => {
        const bytes = Buffer.alloc(14 + 200);
        for (let first = 0; first < 256; first++) {
          for (let second = 0; second < 256; second++) {
            const short = second & 0x7f;
            bytes.fill(0);
            bytes[0] = first;
            bytes[1] = second;
            // 150 as a length where one is written apart.
            if (short === 126) bytes[3] = 150;
            if (short === 127) bytes[9] = 150;
            const scanner = new FrameScanner({ masked, extensions });
            const outcome = scanner.next(bytes, bytes.length);
            const marks = expectedMarks(first, second, { masked, extensions });
            if (outcome !== Scan.Piece || !scanner.ends || scanner.violations !== marks) {
              expect.fail(`${first} ${second}: ${outcome}, ${scanner.violations} instead of ${marks}`);
            }
            const length = short >= 126 ? 150 : short;
            const header = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (second >= 128 ? 4 : 0);
            if (scanner.payloadLength !== length || scanner.headerLength !== header) expect.fail(`${first} ${second}`);
          }
        }
      });
    }
  }
});

/** The rules once more, written the long way round. Bits in the order of contract/violations.ts. */
function expectedMarks(
  first: number,
  second: number,
  { masked, extensions }: { masked: boolean; extensions: NegotiatedExtensions },
): number {
  const opcode = first % 16;
  const isControl = opcode >= 8;
  const known = extensions !== 'unknown';
  const rsv1 = (first & 64) !== 0;
  const deflate = extensions === 'permessage-deflate';
  const short = second % 128;
  const marks = [
    known && [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].includes(opcode),
    known && ((first & 48) !== 0 || (rsv1 && (!deflate || (opcode > 2 && opcode < 8)))),
    isControl && first < 128,
    isControl && short > 125,
    opcode === 0,
    false,
    masked && second < 128,
    !masked && second >= 128,
    short === 127,
    false,
    false,
    false,
    false,
    false,
    false,
    deflate && rsv1 && opcode === 0,
    deflate && rsv1 && isControl,
  ];
  return marks.reduce((bits, due, bit) => bits | (due ? 1 << bit : 0), 0);
}

const wireFrame = (masked: boolean): fc.Arbitrary<WireFrame> =>
  fc.record({
    opcode: fc.oneof(fc.constantFrom(0, 1, 2, 8, 9, 10), fc.nat(15)),
    fin: fc.boolean(),
    rsv: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(7) }),
    payload: fc.oneof(
      { weight: 6, arbitrary: fc.uint8Array({ maxLength: 140 }) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.nat(255), fc.integer({ min: 65_530, max: 65_540 }))
          .map(([byte, n]) => Buffer.alloc(n, byte)),
      },
    ),
    key: masked
      ? fc.uint8Array({ minLength: 4, maxLength: 4 })
      : fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }), { freq: 8 }),
    lengthBits: fc.constant<64 | undefined>(undefined),
  }) as unknown as fc.Arbitrary<WireFrame>;

describe('properties', () => {
  it('any frames in any chunks: header and pieces put together equal the input', () => {
    fc.assert(
      fc.property(
        fc.array(wireFrame(true), { maxLength: 8 }),
        fc.array(fc.nat(100_000), { maxLength: 12 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(encode));
          const positions = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
          const { frames: found } = scan(cutAt(bytes, positions), { masked: true });
          const rebuilt = found.map((frame) =>
            Buffer.concat([bytes.subarray(frame.streamOffset, frame.streamOffset + frame.headerLength), frame.payload]),
          );
          expect(Buffer.concat(rebuilt).equals(bytes)).toBe(true);
          expect(found.map((frame) => frame.byte0)).toEqual(frames.map((frame) => encode(frame)[0]));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('any bytes in any chunks: no crash, and the same frames as in one', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.nat(400), { maxLength: 20 }),
        fc.boolean(),
        fc.constantFrom(...EXTENSIONS),
        (bytes, cuts, masked, extensions) => {
          const positions = cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b);
          const whole = scan([bytes], { masked, extensions });
          const cut = scan(cutAt(bytes, positions), { masked, extensions });
          expect(cut.frames).toEqual(whole.frames);
          expect(cut.heldHeaderBytes).toBe(whole.heldHeaderBytes);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

/** Exported by `ws`, and unknown to its type declarations. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => NodeJS.WritableStream };

/** Whether `ws` refuses the bytes. */
function receive(bytes: Buffer, options: { masked: boolean }): Promise<{ failed: boolean }> {
  const receiver = new Receiver({ isServer: options.masked });
  return new Promise((resolve) => {
    receiver.on('error', () => resolve({ failed: true }));
    receiver.on('conclude', () => resolve({ failed: false }));
    receiver.write(bytes, () => setImmediate(() => resolve({ failed: false })));
  });
}

/** What `ws` does not look at: a length that is not minimal, but on control frames. */
const isOursAlone = (code: string, opcode: number): boolean => code === 'non-minimal-length' && opcode < 8;

describe("the scanner and ws's Receiver", () => {
  for (const masked of [true, false]) {
    it(`agree on what is valid: ${masked ? 'from a client' : 'from a server'}`, async () => {
      const payload = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text)),
        fc.uint8Array({ maxLength: 40 }),
        fc.constant(Buffer.alloc(130)),
      );
      const closeCode = fc.oneof(
        fc.constantFrom(999, 1000, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 3000, 4999, 5000),
        fc.nat(65535),
      );
      const close = fc.tuple(
        closeCode,
        fc.oneof(
          fc.string({ maxLength: 20 }).map((text) => Buffer.from(text)),
          fc.uint8Array({ maxLength: 5 }),
        ),
      );
      const frame = fc
        .record({
          opcode: fc.oneof(
            { weight: 8, arbitrary: fc.constantFrom(0, 1, 2, 2, 1, 9, 10) },
            { weight: 1, arbitrary: fc.nat(15) },
          ),
          fin: fc.boolean(),
          rsv: fc.oneof(
            { weight: 12, arbitrary: fc.constant(0) },
            { weight: 1, arbitrary: fc.nat(7).filter((rsv) => rsv < 4) },
          ),
          payload,
          masked: fc.oneof({ weight: 15, arbitrary: fc.constant(masked) }, { weight: 1, arbitrary: fc.boolean() }),
          lengthBits: fc.constantFrom<(16 | 64 | undefined)[]>(undefined, undefined, undefined, 16, 64),
          close: fc.option(close, { freq: 6, nil: null }),
        })
        .map((made): WireFrame => {
          const closing = made.close;
          const base = {
            opcode: closing === null ? made.opcode : 8,
            fin: made.opcode >= 8 || closing !== null ? made.rsv !== 1 : made.fin,
            rsv: made.rsv,
            payload:
              closing === null
                ? made.payload
                : Buffer.concat([Buffer.of(closing[0] >> 8, closing[0] & 255), closing[1]]),
            key: made.masked ? KEY : null,
          };
          return made.lengthBits === undefined ? base : { ...base, lengthBits: made.lengthBits };
        });
      await fc.assert(
        fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 5 }), async (frames) => {
          const bytes = Buffer.concat(frames.map(encode));
          const theirs = await receive(bytes, { masked });
          expect(ourVerdict(frames, masked)).toBe(theirs.failed);
        }),
        { numRuns: 1500 },
      );
    });
  }
});

/** Whether scanner and payload checker find anything wrong up to the first close frame. */
function ourVerdict(frames: readonly WireFrame[], masked: boolean): boolean {
  const scanner = new FrameScanner({ masked, extensions: 'none' });
  const checker = new PayloadChecker({ readsText: true });
  const bytes = Buffer.concat(frames.map(encode));
  let textIsBad = false;
  while (scanner.next(bytes, bytes.length) === Scan.Piece) {
    let bits = scanner.violations;
    if (checker.concerns(scanner)) {
      const payload = Buffer.from(bytes.subarray(scanner.payloadStart, scanner.payloadEnd));
      applyMask(payload, scanner.maskingKey, scanner.payloadDone);
      bits |= checker.check(scanner, payload);
    }
    const opcode = scanner.byte0 & 0x0f;
    // `ws` looks at the text when its last frame has come.
    textIsBad ||= (bits & ViolationBit['invalid-utf8']) !== 0;
    if (textIsBad && opcode < 8 && (scanner.byte0 & 0x80) !== 0) return true;
    const codes = violationCodes(bits & ~ViolationBit['invalid-utf8']);
    if (codes.some((code) => !isOursAlone(code, opcode))) return true;
    if ((scanner.byte0 & 0x0f) === 8) return false;
  }
  return false;
}
