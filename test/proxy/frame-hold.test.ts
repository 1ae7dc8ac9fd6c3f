import { describe, expect, it } from 'vitest';
import type { HeldBytes } from '../../src/protocol/waiting-bytes.ts';
import { FrameHold, MAX_HELD_BYTES, MAX_HELD_FRAME_BYTES } from '../../src/proxy/frame-hold.ts';

describe('FrameHold', () => {
  it('gives out what it kept, byte by byte or at once, and then has nothing', () => {
    const held: HeldBytes = { total: 0 };
    const hold = new FrameHold(held);
    const frame = Uint8Array.from({ length: 1000 }, (_, i) => i);
    for (let round = 0; round < 2; round++) {
      expect(hold.begin(frame.length)).toBe(true);
      if (round === 0) for (const byte of frame) hold.keep(Uint8Array.of(byte));
      else hold.keep(frame);
      expect([hold.holds, held.total]).toEqual([true, 1000]);
      expect(Uint8Array.from(hold.flush())).toEqual(frame);
      expect([hold.holds, held.total, hold.flush().length]).toEqual([false, 0, 0]);
    }
  });

  it('owns what it keeps', () => {
    const hold = new FrameHold({ total: 0 });
    const bytes = Uint8Array.of(1, 2, 3);
    hold.begin(3);
    hold.keep(bytes);
    bytes.fill(9);
    expect([...hold.flush()]).toEqual([1, 2, 3]);
  });

  it('keeps no frame that is too long', () => {
    const hold = new FrameHold({ total: 0 });
    expect([hold.begin(MAX_HELD_FRAME_BYTES + 1), hold.holds]).toEqual([false, false]);
  });

  it('counts what is there, not what a header promises, and keeps not more than all may', () => {
    const held: HeldBytes = { total: 0 };
    const idle = Array.from({ length: 100 }, () => new FrameHold(held));
    for (const hold of idle) expect(hold.begin(MAX_HELD_FRAME_BYTES) && hold.keep(new Uint8Array(14))).toBe(true);
    expect(held.total).toBe(1400);
    const hold = new FrameHold(held);
    held.total = MAX_HELD_BYTES - 10;
    hold.begin(100);
    expect([hold.keep(new Uint8Array(8)), hold.keep(new Uint8Array(8))]).toEqual([true, false]);
    expect([hold.flush().length, held.total]).toEqual([8, MAX_HELD_BYTES - 10]);
  });
});
