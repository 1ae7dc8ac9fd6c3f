import { randomInt } from 'node:crypto';
import { expect, it } from 'vitest';
import type { RowCursor } from '../../src/capture/capture-reader.ts';
import { MemoryStore } from '../../src/capture/memory-store.ts';
import * as frameBits from '../../src/contract/frame-bits.ts';
import type { Direction } from '../../src/contract/frame.ts';
import { ViolationBit } from '../../src/contract/violations.ts';
import { ModelSession } from '../helpers/capture-model.ts';
import { encode, type WireFrame } from '../helpers/wire-frames.ts';

const FLIPS = 100_000;
const KEY = Buffer.of(0x9a, 0x11, 0x5c, 0xe3);

/** A session as browsers and servers have it: what the bits are flipped in. */
const SESSION: readonly WireFrame[] = [
  { opcode: 1, payload: '{"type":"hello","name":"Zoë"}' },
  { opcode: 9, payload: 'beat' },
  { opcode: 1, fin: false, payload: 'a message in ' },
  { opcode: 10, payload: 'beat' },
  { opcode: 0, fin: false, payload: '' },
  { opcode: 0, payload: 'three parts €' },
  { opcode: 2, payload: Buffer.alloc(130, 0xa5) },
  { opcode: 2, rsv: 4, payload: Buffer.from('aa56050000', 'hex') },
  { opcode: 2, payload: Buffer.alloc(300, 1) },
  { opcode: 1 },
  { opcode: 8, payload: Buffer.concat([Buffer.of(3, 232), Buffer.from('done')]) },
];

/** mulberry32: small, and the same everywhere for one seed. */
function random(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const headerLengthOf = (bits: number): number =>
  2 + { 7: 0, 16: 2, 64: 8 }[frameBits.lengthBits(bits)] + (frameBits.masked(bits) ? 4 : 0);

for (const direction of ['client-to-server', 'server-to-client'] as const) {
  const recorded = Buffer.concat(
    SESSION.map((frame) => encode({ ...frame, key: direction === 'client-to-server' ? KEY : null })),
  );

  it(`${FLIPS / 2} sessions with flipped bits are recorded without a gap or a foreign byte: ${direction}`, () => {
    const seed = Number(process.env['BIT_FLIP_SEED'] ?? randomInt(2 ** 31));
    console.log(`bit flips, ${direction}: BIT_FLIP_SEED=${seed}`);
    const below = random(seed);
    let nowUs = 0;
    const store = new MemoryStore({ budgetBytes: 8 << 20, payloadLimitBytes: 1 << 20, clock: () => ++nowUs });
    for (let run = 0; run < FLIPS / 2; run++) {
      const bytes = Buffer.from(recorded);
      for (let flips = 1 + below(3); flips > 0; flips--) {
        const bit = below(bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      }
      check(store, direction, { bytes, below, describe: `seed ${seed}, run ${run}`, wire: run % 16 === 0 });
    }
    expect(store.status().evicted.sessions).toBeGreaterThan(0);
  }, 120_000);
}

function check(
  store: MemoryStore,
  direction: Direction,
  options: { bytes: Buffer; below: (n: number) => number; describe: string; wire: boolean },
): void {
  const { bytes, below, describe } = options;
  const session = new ModelSession(store, { extensions: 'permessage-deflate' });
  for (let at = 0; at < bytes.length;) {
    const length = 1 + below(bytes.length);
    session.write(direction, bytes.subarray(at, at + length));
    at += length;
  }
  session.close();

  // Each frame begins where the one before it ends, up to the last one or to where nothing can be followed.
  let next = 0;
  let ended = false;
  store.visitFrames(session.id, 0, Infinity, (row: RowCursor) => {
    if (ended || row.streamOffset !== next) expect.fail(`${describe}: a frame at ${row.streamOffset}, not at ${next}`);
    if (row.bits % 256 !== bytes[next]) expect.fail(`${describe}: first byte of the frame at ${next}`);
    const lost = (row.violations & ViolationBit['length-out-of-range']) !== 0;
    const cut = (row.violations & ViolationBit['truncated-frame']) !== 0;
    next += headerLengthOf(row.bits) + row.payloadLength;
    if (frameBits.complete(row.bits) !== next <= bytes.length) expect.fail(`${describe}: complete up to ${next}`);
    if (cut !== (!lost && next > bytes.length)) expect.fail(`${describe}: truncated up to ${next}`);
    ended = lost || cut;
  });
  const missing = bytes.length - next;
  if (!ended && missing > 13) expect.fail(`${describe}: ${missing} bytes in no frame`);
  if (!options.wire) return;
  let at = 0;
  for (const row of store.frames(session.id, 0, Infinity) ?? []) {
    const wire = store.frameBytes(session.id, row.index, 'wire')?.bytes ?? new Uint8Array(0);
    if (!bytes.subarray(at, at + wire.length).equals(wire)) expect.fail(`${describe}: bytes of frame ${row.index}`);
    at += wire.length;
  }
  const lostFrame = session.frames.some(({ complete }) => !complete);
  if (!lostFrame && at !== next) expect.fail(`${describe}: ${at} bytes held of ${next}`);
}
