import { describe, expect, it } from 'vitest';
import { CompressedChecker, type CompressedFailure } from '../../src/protocol/compressed-checker.ts';
import { FrameScanner, Scan } from '../../src/protocol/frame-scanner.ts';
import type { HeldBytes } from '../../src/protocol/waiting-bytes.ts';
import { PeerDeflate } from '../helpers/peer-deflate.ts';
import { encode, type WireFrame } from '../helpers/wire-frames.ts';

/** A checker, shown these frames one by one. */
function checking(held: HeldBytes) {
  const scanner = new FrameScanner({ masked: false, extensions: 'permessage-deflate' });
  const checker = new CompressedChecker({ contextTakeover: true, held });
  let offset = 0;
  const check = (frame: WireFrame): CompressedFailure | null => {
    const chunk = encode(frame);
    scanner.begin(offset);
    offset += chunk.length;
    let failure: CompressedFailure | null = null;
    while (scanner.next(chunk, chunk.length) === Scan.Piece) {
      if (checker.concerns(scanner))
        failure ??= checker.check(scanner, chunk.subarray(scanner.payloadStart, scanner.payloadEnd));
    }
    return failure;
  };
  return { check, checker };
}

const START: WireFrame = { opcode: 1, rsv: 4, fin: false, payload: '' };

describe('a compressed message that is checked', () => {
  it('costs what its bytes do, in however many fragments they come', async () => {
    const held = { total: 0 };
    const { check } = checking(held);
    const payload = await new PeerDeflate().compress('in very many pieces');
    expect(check(START)).toBeNull();
    for (let n = 0; n < 100_000; n++) check({ opcode: 0, fin: false, payload: '' });
    expect(held.total).toBe(0);
    for (const byte of payload) {
      expect(check({ opcode: 0, fin: false, payload: Buffer.of(byte) })).toBeNull();
    }
    expect(held.total).toBeGreaterThanOrEqual(payload.length);
    expect(held.total).toBeLessThanOrEqual(2 * payload.length);
    expect(check({ opcode: 0, payload: '' })).toBeNull();
    expect(held.total).toBe(0);
  });

  it('is too big where unfinished ones of all sessions come to more than 128 MiB', () => {
    const held = { total: 0 };
    const part: WireFrame = { opcode: 0, fin: false, payload: Buffer.alloc(60 << 20) };
    const sessions = Array.from({ length: 3 }, () => checking(held));
    const outcomes = sessions.map(({ check }) => {
      check(START);
      return check(part)?.code ?? null;
    });
    expect(outcomes).toEqual([null, null, 1009]);
    expect(held.total).toBe(120 << 20);
    for (const { checker } of sessions) checker.forget();
    expect(held.total).toBe(0);
  });
});
