import { describe, expect, it } from 'vitest';
import { violationCodes } from '../../src/contract/violations.ts';
import { FrameScanner, type NegotiatedExtensions, Scan } from '../../src/protocol/frame-scanner.ts';
import { PayloadChecker } from '../../src/protocol/payload-checker.ts';
import { applyMask } from '../../src/protocol/mask.ts';
import { cutAt, eachByte, encode, splits, type WireFrame } from '../helpers/wire-frames.ts';

interface Findings {
  /** Violations of the payloads, with the number of the frame that each was found on. */
  readonly marks: [frame: number, code: string][];
  readonly closes: { readonly code: number | null; readonly reason: string }[];
}

/** What the checker finds, called as the relay calls it: bytes below 0x80 are shown to it only where it asks for them. */
function check(chunks: readonly Uint8Array[], options: { extensions?: NegotiatedExtensions } = {}): Findings {
  const extensions = options.extensions ?? 'none';
  const scanner = new FrameScanner({ masked: false, extensions });
  const checker = new PayloadChecker({ readsText: extensions !== 'unknown' });
  const findings: Findings = { marks: [], closes: [] };
  let frame = -1;
  let offset = 0;
  for (const chunk of chunks) {
    scanner.begin(offset);
    offset += chunk.length;
    while (scanner.next(chunk, chunk.length) === Scan.Piece) {
      if (scanner.begins) frame++;
      if (!checker.concerns(scanner)) continue;
      const payload = Buffer.from(chunk.subarray(scanner.payloadStart, scanner.payloadEnd));
      applyMask(payload, scanner.maskingKey, scanner.payloadDone);
      if (checker.acceptsAscii(scanner) && payload.every((byte) => byte < 0x80)) continue;
      for (const code of violationCodes(checker.check(scanner, payload))) findings.marks.push([frame, code]);
      if (checker.close !== null) findings.closes.push({ code: checker.close.code, reason: checker.close.reason });
    }
  }
  return findings;
}

/** The same findings in one chunk, cut in two anywhere, and byte by byte. */
function checkAllWays(frames: readonly WireFrame[], options: { extensions?: NegotiatedExtensions } = {}): Findings {
  const bytes = Buffer.concat(frames.map(encode));
  const whole = check([bytes], options);
  for (const position of splits(bytes.length)) expect(check(cutAt(bytes, [position]), options)).toEqual(whole);
  expect(check(eachByte(bytes), options)).toEqual(whole);
  return whole;
}

describe('text', () => {
  it('may be cut in a character between fragments, with control frames between them', () => {
    const { marks } = checkAllWays([
      { opcode: 1, fin: false, payload: Buffer.of(0x61, 0xe2) },
      { opcode: 9, payload: Buffer.of(0xff) },
      { opcode: 0, fin: false, payload: Buffer.of(0x82) },
      { opcode: 0, fin: false, payload: '' },
      { opcode: 0, payload: Buffer.of(0xac, 0x62) },
    ]);
    expect(marks).toEqual([]);
  });
  it('that is not UTF-8 is marked once, on the frame in which it becomes certain', () => {
    const { marks } = checkAllWays([
      { opcode: 1, payload: 'fine' },
      { opcode: 1, fin: false, payload: 'abc' },
      { opcode: 0, fin: false, payload: Buffer.of(0xc3) },
      { opcode: 0, fin: false, payload: 'x' },
      { opcode: 0, payload: Buffer.of(0xff) },
      { opcode: 1, payload: 'fine again ß' },
    ]);
    expect(marks).toEqual([[3, 'invalid-utf8']]);
  });
  it('that ends in a character is marked on its last frame', () => {
    expect(checkAllWays([{ opcode: 1, payload: Buffer.of(0x61, 0xe2, 0x82) }]).marks).toEqual([[0, 'invalid-utf8']]);
    expect(
      checkAllWays([
        { opcode: 1, fin: false, payload: Buffer.of(0xe2) },
        { opcode: 0, payload: '' },
      ]).marks,
    ).toEqual([[1, 'invalid-utf8']]);
  });
  it('is forgotten where another message comes before its end', () => {
    const { marks } = checkAllWays([
      { opcode: 1, fin: false, payload: Buffer.of(0xe2) },
      { opcode: 1, payload: 'a' },
      { opcode: 0, payload: Buffer.of(0xff) },
    ]);
    expect(marks).toEqual([]);
  });
  it('is not looked at in masked bytes but in what they mean', () => {
    const key = Buffer.of(0xff, 0x00, 0xff, 0x00);
    expect(checkAllWays([{ opcode: 1, payload: 'plain text', key }]).marks).toEqual([]);
    expect(checkAllWays([{ opcode: 1, payload: Buffer.of(0xff, 0x61), key }]).marks).toEqual([[0, 'invalid-utf8']]);
  });
  it('is not looked at where it is binary, compressed or behind an unknown extension', () => {
    const bad = Buffer.of(0xff, 0xfe);
    expect(checkAllWays([{ opcode: 2, payload: bad }]).marks).toEqual([]);
    const compressed = [
      { opcode: 1, rsv: 4, fin: false, payload: bad },
      { opcode: 0, payload: bad },
    ];
    expect(checkAllWays(compressed, { extensions: 'permessage-deflate' }).marks).toEqual([]);
    expect(checkAllWays([{ opcode: 1, payload: bad }], { extensions: 'unknown' }).marks).toEqual([]);
    expect(checkAllWays([{ opcode: 1, payload: bad }], { extensions: 'permessage-deflate' }).marks).toHaveLength(1);
  });
});

describe('close frames', () => {
  it('of more than 125 bytes has a reason that is UTF-8 or not by all of its bytes, and is shown in whole characters', () => {
    const reason = `${'x'.repeat(122)}é and more`;
    const close = (bytes: Uint8Array): WireFrame => ({ opcode: 8, payload: Buffer.concat([Buffer.of(3, 232), bytes]) });
    const valid = checkAllWays([close(Buffer.from(reason))]);
    expect(valid).toEqual({ marks: [], closes: [{ code: 1000, reason: 'x'.repeat(122) }] });
    const late = checkAllWays([close(Buffer.concat([Buffer.from(reason), Buffer.of(0xff)]))]);
    expect(late.marks).toEqual([[0, 'close-reason-invalid-utf8']]);
    expect(checkAllWays([close(Buffer.from('short'))]).marks).toEqual([]);
  });
  it('give code and reason, cut anywhere', () => {
    const payload = Buffer.concat([Buffer.of(0x03, 0xe9), Buffer.from('going away €')]);
    expect(checkAllWays([{ opcode: 8, payload }]).closes).toEqual([{ code: 1001, reason: 'going away €' }]);
  });
  it('are marked for one byte, an illegal code and a reason that is not UTF-8', () => {
    expect(checkAllWays([{ opcode: 8, payload: Buffer.of(3) }]).marks).toEqual([[0, 'close-payload-one-byte']]);
    expect(checkAllWays([{ opcode: 8, payload: Buffer.of(3, 237) }]).marks).toEqual([[0, 'close-code-illegal']]);
    expect(checkAllWays([{ opcode: 8, payload: Buffer.of(3, 232, 0xff) }]).marks).toEqual([
      [0, 'close-reason-invalid-utf8'],
    ]);
  });
  it('that are bare have no code', () => {
    expect(checkAllWays([{ opcode: 8 }])).toEqual({ marks: [], closes: [{ code: null, reason: '' }] });
  });
  it('that are too long are read as far as a close frame goes', () => {
    const payload = Buffer.concat([Buffer.of(3, 232), Buffer.alloc(300, 'r')]);
    expect(checkAllWays([{ opcode: 8, payload }]).closes).toEqual([{ code: 1000, reason: 'r'.repeat(123) }]);
  });
  it('come one by one', () => {
    const { closes } = checkAllWays([
      { opcode: 8, payload: Buffer.of(3, 232) },
      { opcode: 8, payload: Buffer.of(3, 233, 0x61) },
    ]);
    expect(closes.map(({ code }) => code)).toEqual([1000, 1001]);
  });
});
