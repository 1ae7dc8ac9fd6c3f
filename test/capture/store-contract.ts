import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SessionRecord } from '../../src/capture/session-record.ts';
import { type Direction, type FrameRow, PREVIEW_BYTES } from '../../src/contract/frame.ts';
import { ViolationBit } from '../../src/contract/violations.ts';
import { expectHeld, LiveView, ModelSession, type StoreUnderTest } from '../helpers/capture-model.ts';
import { cutAt, eachByte, encode } from '../helpers/wire-frames.ts';

const UP = 'client-to-server';
const DOWN = 'server-to-client';

export interface StoreOptions {
  readonly budgetBytes: number;
  readonly payloadLimitBytes: number;
}

/** Bytes that tell where they came from, so that none can be taken for another's. */
function distinct(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = (seed * 2654435761) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

function frame(direction: Direction, length: number, seed: number): Buffer {
  const key = direction === UP ? distinct(4, seed + 1) : null;
  return encode({ opcode: 2, payload: distinct(length, seed), key });
}

/** What every store keeps to, whatever it keeps its bytes in. */
export function describeStore(name: string, make: (options: StoreOptions) => StoreUnderTest): void {
  const roomy = (): StoreUnderTest => make({ budgetBytes: 64 << 20, payloadLimitBytes: 16 << 20 });

  describe(`${name}: frames`, () => {
    it('come back byte for byte, in one chunk, cut anywhere and byte by byte', () => {
      for (const direction of [UP, DOWN] as const) {
        const bytes = Buffer.concat([0, 5, 125, 130].map((length, i) => frame(direction, length, i)));
        const cuts = Array.from({ length: bytes.length + 1 }, (_, i) => cutAt(bytes, [i]));
        for (const chunks of [...cuts, eachByte(bytes)]) {
          const store = roomy();
          const session = new ModelSession(store);
          for (const chunk of chunks) session.write(direction, chunk);
          expectHeld(store, [session], { all: true });
        }
      }
    });
    it('of many sessions and both directions, interleaved byte by byte, are not mixed up', () => {
      const store = roomy();
      const sessions = [1, 2, 3].map(() => new ModelSession(store));
      const streams = sessions.flatMap((session, i) =>
        ([UP, DOWN] as const).map((direction, j) => ({
          session,
          direction,
          bytes: Buffer.concat([7, 0, 200].map((length, k) => frame(direction, length, i * 10 + j * 5 + k))),
        })),
      );
      for (let at = 0; at < 400; at++) {
        for (const { session, direction, bytes } of streams) {
          if (at < bytes.length) session.write(direction, bytes.subarray(at, at + 1));
        }
      }
      expectHeld(store, sessions, { all: true });
    });
    it('are listed with what their headers said', () => {
      const store = roomy();
      const session = new ModelSession(store);
      session.write(
        UP,
        encode({ opcode: 1, fin: false, rsv: 5, payload: 'Hi', key: Buffer.of(0, 1, 2, 255), lengthBits: 16 }),
      );
      session.write(DOWN, encode({ opcode: 9, payload: Buffer.alloc(200, 'ö') }));
      expect(store.frames(session.id, 0, 10)).toEqual([
        {
          index: 0,
          seq: expect.any(Number) as number,
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
          direction: UP,
          fin: false,
          rsv1: true,
          rsv2: false,
          rsv3: true,
          opcode: 1,
          masked: true,
          maskingKey: '000102ff',
          payloadLength: 2,
          heldBytes: 2,
          lengthBits: 16,
          compressed: false,
          streamOffset: 0,
          complete: true,
          origin: 'peer',
          violations: ['rsv-without-extension', 'non-minimal-length'],
          preview: { encoding: 'utf8', data: 'Hi', truncated: false },
        },
        expect.objectContaining({
          index: 1,
          direction: DOWN,
          opcode: 9,
          masked: false,
          maskingKey: null,
          payloadLength: 200,
          streamOffset: 0,
          violations: ['control-too-long'],
          preview: { encoding: 'utf8', data: 'ö'.repeat(PREVIEW_BYTES / 2), truncated: true },
        }),
      ]);
    });
    it('are given in pages, from any index', () => {
      const store = roomy();
      const session = new ModelSession(store);
      for (let i = 0; i < 50; i++) session.write(DOWN, frame(DOWN, i, i));
      const indexes = (from: number, limit: number) => store.frames(session.id, from, limit)?.map(({ index }) => index);
      expect(indexes(0, 3)).toEqual([0, 1, 2]);
      expect(indexes(48, 10)).toEqual([48, 49]);
      expect(indexes(50, 10)).toEqual([]);
      expect(store.frames('999', 0, 10)).toBeUndefined();
      expect(store.frames('constructor', 0, 10)).toBeUndefined();
      expect(store.frameBytes(session.id, 50, 'wire')).toBeUndefined();
      const visited: number[] = [];
      expect(store.visitFrames(session.id, 10, 5, (row) => void visited.push(row.index))).toBe(true);
      expect(visited).toEqual([10, 11, 12, 13, 14]);
      expect(store.visitFrames('999', 0, 5, () => undefined)).toBe(false);
    });
    it('that have not ended are there as far as they have come', () => {
      const store = roomy();
      const session = new ModelSession(store);
      const bytes = frame(UP, 1000, 3);
      session.write(UP, bytes.subarray(0, 500));
      const held = store.frameBytes(session.id, 0, 'wire');
      expect(held?.whole).toBe(false);
      expect(Buffer.from(held?.bytes ?? []).equals(bytes.subarray(0, 500))).toBe(true);
      expect(store.frames(session.id, 0, 1)?.[0]).toMatchObject({
        complete: false,
        payloadLength: 1000,
        heldBytes: 492,
      });
      session.close();
      expect(store.frames(session.id, 0, 1)?.[0]).toMatchObject({ complete: false, violations: ['truncated-frame'] });
    });
    it('given out are copies', () => {
      const store = roomy();
      const session = new ModelSession(store);
      session.write(DOWN, frame(DOWN, 50, 1));
      store.frameBytes(session.id, 0, 'payload')?.bytes.fill(0);
      store.frameBytes(session.id, 0, 'wire')?.bytes.fill(0);
      expectHeld(store, [session], { all: true });
    });
  });

  describe(`${name}: frames recorded many at a time`, () => {
    /** Chunks of one direction with frames of all kinds: ordinary ones, in every length form, and others between. */
    const chunksOf = (direction: Direction): Buffer[] => {
      const frames = Array.from({ length: 700 }, (_, i) => {
        const length = [0, 3, 125, 126, 5, 900, 70_000, 1][i % 40 === 6 ? 6 : (i * 5) % 6] as number;
        const key = direction === UP ? distinct(4, i) : null;
        const opcode = i % 9 === 4 && length < 126 ? 9 + (i % 2) : 2;
        const unusual = i % 50 === 33;
        return encode({
          opcode,
          rsv: unusual ? 2 : i % 7 === 1 && opcode === 2 ? 4 : 0,
          payload: distinct(length, i),
          key,
        });
      });
      return cutAt(Buffer.concat(frames), [9_000, 9_001, 50_000, 200_000, 400_000, 600_000]).map((bytes) =>
        Buffer.from(bytes),
      );
    };
    /** A session in a store of its own, whose clock goes by chunks. */
    const written = (
      runs: boolean,
      options: Partial<StoreOptions> = {},
    ): { store: StoreUnderTest; session: ModelSession } => {
      const store = make({ budgetBytes: 64 << 20, payloadLimitBytes: 16 << 20, ...options });
      const session = new ModelSession(store, { runs, extensions: 'permessage-deflate' });
      const up = chunksOf(UP);
      const down = chunksOf(DOWN);
      for (const [i, chunk] of up.entries()) {
        session.write(UP, chunk);
        session.write(DOWN, down[i] ?? Buffer.alloc(0));
      }
      return { store, session };
    };
    const rowsOf = ({ store, session }: ReturnType<typeof written>) =>
      (store.frames(session.id, 0, Infinity) ?? []).map((row) => ({ ...row, time: null }));
    /** All that the log gives from `since` on. */
    const log = (store: StoreUnderTest, since: number, limit = Infinity) => {
      const rows: unknown[] = [];
      store.rowsSince(since, limit, (row) => {
        const { seq, session, index, bits, maskingKey, payloadLength, streamOffset, violations } = row;
        rows.push([seq, session, index, bits, maskingKey, payloadLength, streamOffset, violations]);
      });
      return rows;
    };

    it('are the same frames, byte for byte and field for field, as one by one, in less memory', () => {
      const runs = written(true);
      const single = written(false);
      expectHeld(runs.store, [runs.session], { all: true });
      expect(rowsOf(runs)).toEqual(rowsOf(single));
      expect(log(runs.store, 0)).toEqual(log(single.store, 0));
      const { session } = runs;
      expect(runs.store.heldFrom(session.id)).toEqual(single.store.heldFrom(session.id));
      const { frames, bytes } = single.store.status();
      expect(runs.store.status()).toMatchObject({ frames, bytes });
      expect(session.record.messageCount).toBe(single.session.record.messageCount);
    });
    it('are 15 a line, beside the line that they share', () => {
      const cost = (count: number): number => {
        const store = make({ budgetBytes: 256 << 10, payloadLimitBytes: 16 << 20 });
        const session = new ModelSession(store, { runs: true });
        // Lines that are used leave less room for others: the segment is full after so many chunks.
        const chunk = Buffer.concat(Array<Buffer>(count).fill(encode({ opcode: 2, payload: 'some text' })));
        let chunks = 0;
        while (store.status().evicted.frames === 0) {
          session.write(DOWN, chunk);
          chunks++;
        }
        return (256 << 10) / (chunks * count);
      };
      expect(cost(150)).toBeLessThan(11 + 5);
      expect(cost(1)).toBeGreaterThan(11 + 63);
    });
    it('are found from any index and any sequence number, in pages of any size', () => {
      const { store, session } = written(true);
      const rows = store.frames(session.id, 0, Infinity) ?? [];
      const all = log(store, 0);
      expect(rows.length).toBe(1400);
      for (let from = 0; from <= rows.length; from += 13) {
        expect(store.frames(session.id, from, 7)).toEqual(rows.slice(from, from + 7));
        const { seq } = rows[Math.min(from, rows.length - 1)] as FrameRow;
        const at = all.findIndex((row) => (row as number[])[0] === seq);
        expect(log(store, seq, 9)).toEqual(all.slice(at + 1, at + 10));
      }
    });
    it('take no room from frames too large to be many in a read', () => {
      const store = make({ budgetBytes: 64 << 20, payloadLimitBytes: 16 << 20 });
      const session = new ModelSession(store, { runs: true });
      const bytes = frame(DOWN, 250_000, 1);
      while (store.status().evicted.frames === 0) session.write(DOWN, bytes);
      // Four in a segment of 1 MiB, of which there are 62 beside the one to come and what the session costs.
      expect(store.frames(session.id, 0, Infinity)?.length).toBeGreaterThan(4 * 60);
    });
    it('go with what is evicted, and stay when other sessions are deleted', async () => {
      const store = make({ budgetBytes: 4 << 20, payloadLimitBytes: 16 << 20 });
      const sessions = [1, 2, 3].map(() => new ModelSession(store, { runs: true, extensions: 'permessage-deflate' }));
      const [first, second, third] = sessions as [ModelSession, ModelSession, ModelSession];
      const all = [
        ...chunksOf(DOWN).map((chunk) => [DOWN, chunk] as const),
        ...chunksOf(UP).map((chunk) => [UP, chunk] as const),
      ];
      for (const [direction, chunk] of all) for (const session of sessions) session.write(direction, chunk);
      expectHeld(store, sessions);
      store.deleteSession(second.id);
      second.emptied();
      for (let turn = 0; turn < 100; turn++) {
        expectHeld(store, [first, third]);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const rows = [first, third].flatMap((session) => store.frames(session.id, 0, Infinity) ?? []);
      const whole = rows.filter(({ complete }) => complete).reduce((sum, { payloadLength }) => sum + payloadLength, 0);
      const counted = store.log.segments.map(({ frameCount, payloadBytes }) => [frameCount, payloadBytes] as const);
      expect(counted.reduce((sum, [count]) => sum + count, 0)).toBe(rows.length);
      expect(counted.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(whole);
      const held = store.frames(third.id, 0, Infinity)?.length ?? 0;
      expect(held).toBeGreaterThan(100);
      for (const [direction, chunk] of all.slice(0, 7)) for (const session of sessions) session.write(direction, chunk);
      expectHeld(store, sessions);
      expect(store.status().evicted.frames).toBeGreaterThan(0);
    });
  });

  describe(`${name}: the payload limit`, () => {
    for (const length of [999, 1000, 1001, 5000]) {
      it(`cuts a payload of ${length} bytes at 1,000 and keeps its length, however it comes`, () => {
        const bytes = Buffer.concat([frame(UP, length, 7), frame(UP, 10, 8), frame(UP, length, 9)]);
        for (const cuts of [[], [3], [400], [1008], [1100, 1200, 1300], [length + 8, length + 20], [900, 4000, 5008]]) {
          const store = make({ budgetBytes: 64 << 20, payloadLimitBytes: 1000 });
          const session = new ModelSession(store);
          for (const chunk of cutAt(
            bytes,
            cuts.filter((cut) => cut < bytes.length),
          ))
            session.write(UP, chunk);
          const rows = store.frames(session.id, 0, 10) ?? [];
          expect(rows.map(({ payloadLength }) => payloadLength)).toEqual([length, 10, length]);
          expect(rows.map(({ heldBytes }) => heldBytes)).toEqual([Math.min(length, 1000), 10, Math.min(length, 1000)]);
          expect(rows.every(({ complete }) => complete)).toBe(true);
          expect(store.frameBytes(session.id, 0, 'payload')?.whole).toBe(length <= 1000);
          expect(store.frameBytes(session.id, 1, 'wire')?.whole).toBe(true);
          const cut: number[] = [];
          store.visitFrames(session.id, 0, 10, (row) => void cut.push((row.bits >> 19) & 1));
          expect(cut).toEqual([length > 1000 ? 1 : 0, 0, length > 1000 ? 1 : 0]);
          expectHeld(store, [session]);
        }
      });
    }
    it('keeps nothing of what comes after it', () => {
      const store = make({ budgetBytes: 64 << 20, payloadLimitBytes: 64 << 10 });
      const session = new ModelSession(store);
      const bytes = frame(DOWN, 20 << 20, 1);
      for (let at = 0; at < bytes.length; at += 64 << 10) session.write(DOWN, bytes.subarray(at, at + (64 << 10)));
      expect(store.status().memory.usedBytes).toBeLessThan(3 << 20);
      expectHeld(store, [session]);
    });
  });

  describe(`${name}: the budget`, () => {
    for (const [what, length, count] of [
      ['small frames', 10, 60_000],
      ['frames without payload', 0, 60_000],
      ['frames of 64 KiB', 65_536, 200],
      ['frames of 1 MiB', 1 << 20, 20],
    ] as const) {
      it(`holds under ${what}; the oldest go first, and what went is counted`, () => {
        const budgetBytes = 2 << 20;
        const store = make({ budgetBytes, payloadLimitBytes: 512 << 10 });
        const sessions = [new ModelSession(store), new ModelSession(store)];
        for (let i = 0; i < count; i++) {
          const bytes = frame(DOWN, length, i);
          for (let at = 0; at < bytes.length; at += 200_000) {
            (sessions[i & 1] as ModelSession).write(DOWN, bytes.subarray(at, at + 200_000));
          }
          if (store.status().memory.usedBytes > budgetBytes) expect.fail(`${store.status().memory.usedBytes} used`);
        }
        const { evicted, frames } = store.status();
        expect(frames).toBe(count);
        const held = sessions.flatMap(({ id }) => store.frames(id, 0, Infinity) ?? []);
        expect(held.length).toBeGreaterThan(0);
        expect(evicted.frames).toBe(count - held.length);
        expect(evicted.bytes).toBe((count - held.length) * length);
        for (const { id } of sessions) {
          const rows = store.frames(id, 0, Infinity) ?? [];
          expect(store.session(id)?.firstHeldFrame).toBe(rows[0]?.index);
          expect(rows.at(-1)?.index).toBe(count / 2 - 1);
          expect(rows.length).toBe(count / 2 - (rows[0]?.index ?? NaN));
        }
        // What is left is the newest of all, not of each session.
        const oldest = Math.min(...held.map(({ seq }) => seq));
        const seen: number[] = [];
        store.rowsSince(0, Infinity, (row) => void seen.push(row.seq));
        expect(seen[0]).toBe(oldest);
        expectHeld(store, sessions);
      });
    }
    it('is told of each session that loses frames, also of those that are silent or have ended', () => {
      const store = make({ budgetBytes: 1 << 20, payloadLimitBytes: 1 << 20 });
      const [silent, ended, busy] = [new ModelSession(store), new ModelSession(store), new ModelSession(store)];
      for (let i = 0; i < 400; i++) for (const session of [silent, ended]) session.write(UP, frame(UP, 1000, i));
      ended.close();
      const told = new Map<string, number>();
      let since = 0;
      const hear = (): void => {
        const { seq } = store.status();
        for (const { id, firstHeldFrame } of store.sessionsSince(since, 10).changed) told.set(id, firstHeldFrame);
        for (const id of store.sessionsSince(since, 10).removed) told.delete(id);
        since = seq;
      };
      hear();
      for (let i = 0; i < 3000; i++) {
        busy.write(DOWN, frame(DOWN, 1000, i));
        hear();
        expect(told).toEqual(
          new Map(store.sessions({ limit: 10 }).map(({ id, firstHeldFrame }) => [id, firstHeldFrame])),
        );
      }
      expect(told.get(silent.id)).toBe(400);
    });
    it('holds under many short sessions, and the oldest of them go', () => {
      const store = make({ budgetBytes: 1 << 20, payloadLimitBytes: 1 << 20 });
      for (let i = 0; i < 5000; i++) {
        const session = new ModelSession(store);
        if (i % 3 === 0) session.write(UP, frame(UP, 20, i));
        session.close();
        if (store.status().memory.usedBytes > 1 << 20) expect.fail(`${store.status().memory.usedBytes} used`);
      }
      const { sessions, evicted } = store.status();
      expect(sessions + evicted.sessions).toBe(5000);
      expect(sessions).toBeGreaterThan(100);
      const page = store.sessions({ limit: 10_000 });
      expect(page.map(({ id }) => Number(id))).toEqual(Array.from({ length: sessions }, (_, i) => 5001 - sessions + i));
    });
    it('may take a frame that has not ended: its end is then nobody’s', () => {
      for (const segmentsFilled of [1, 3, 9, 40]) {
        const store = make({ budgetBytes: 1 << 20, payloadLimitBytes: 16 << 20 });
        const slow = new ModelSession(store);
        const busy = new ModelSession(store);
        const bytes = frame(UP, 1000, 1);
        slow.write(UP, bytes.subarray(0, 300));
        store.rowsSince(0, Infinity, () => undefined);
        for (let i = 0; i < segmentsFilled * 64; i++) busy.write(DOWN, frame(DOWN, 4000, i));
        slow.violate(UP, ViolationBit['invalid-utf8']);
        slow.write(UP, bytes.subarray(300));
        slow.write(UP, frame(UP, 30, 2));
        expectHeld(store, [slow, busy]);
        const marks = store.frames(busy.id, 0, Infinity)?.flatMap(({ violations }) => violations);
        expect(marks).toEqual([]);
        for (let i = 0; i < 200; i++) busy.write(DOWN, frame(DOWN, 4000, 10_000 + i));
        slow.close();
        expectHeld(store, [slow, busy]);
      }
    });
  });

  describe(`${name}: deleting`, () => {
    it('a session takes its frames and leaves every other as it was', () => {
      const store = roomy();
      const sessions = Array.from({ length: 6 }, () => new ModelSession(store));
      for (let round = 0; round < 60; round++) {
        for (const [i, session] of sessions.entries()) {
          const direction = (round + i) % 2 === 0 ? UP : DOWN;
          const bytes = frame(direction, [3, 4000, 60_000][(round + i) % 3] as number, round * 10 + i);
          for (const chunk of cutAt(bytes, [bytes.length >> 1])) session.write(direction, chunk);
        }
      }
      // One by one, out of order: each deletion moves what the next one must find.
      for (const i of [2, 0, 5, 3]) {
        const gone = sessions[i] as ModelSession;
        gone.close();
        expect(store.deleteSession(gone.id)).toBe(true);
        expect(store.frames(gone.id, 0, 10)).toBeUndefined();
        expect(store.deleteSession(gone.id)).toBe(false);
        sessions[i] = new ModelSession(store);
        expectHeld(store, sessions, { all: true });
        for (const [k, session] of sessions.entries()) session.write(DOWN, frame(DOWN, 700, 5000 + i * 10 + k));
        expectHeld(store, sessions, { all: true });
      }
    });
    it('one after another finds frames whose rows and bytes lie in different places', () => {
      const store = roomy();
      const sessions = Array.from({ length: 5 }, () => new ModelSession(store));
      // Chunks of so many frames that their rows fill more than what is left beside their bytes.
      for (let round = 0; round < 9; round++) {
        for (const [i, session] of sessions.entries()) {
          const one = frame(DOWN, 1 + i, round * 10 + i);
          session.write(DOWN, Buffer.concat(Array.from({ length: 3000 }, () => one)));
        }
      }
      while (sessions.length > 1) {
        const [gone] = sessions.splice(sessions.length >> 1, 1) as [ModelSession];
        gone.close();
        store.deleteSession(gone.id);
        expectHeld(store, sessions, { all: true });
      }
    });
    it('frees the memory, with the event loop turning in between, and shows nothing of it meanwhile', async () => {
      const store = roomy();
      const stays = new ModelSession(store);
      stays.write(UP, frame(UP, 100, 0));
      const before = store.status().memory.usedBytes;
      const goes = new ModelSession(store);
      for (let i = 0; i < 100; i++) goes.write(DOWN, frame(DOWN, 100_000, i));
      goes.close();
      const log = (): number[] => {
        const sessions: number[] = [];
        store.rowsSince(0, 5, ({ session }) => void sessions.push(session));
        return sessions;
      };
      store.deleteSession(goes.id);
      const used = new Set<number>();
      for (let turn = 0; turn < 100; turn++) {
        used.add(store.status().memory.usedBytes);
        expectHeld(store, [stays], { all: true });
        expect(log()).toEqual([stays.record.number]);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(used.size).toBeGreaterThan(5);
      expect(store.status().memory.usedBytes).toBeLessThan(before + (2 << 20));
    });
    it('an open one, in steps, hides none of what comes after it, and counts nothing of it as evicted', async () => {
      const store = make({ budgetBytes: 8 << 20, payloadLimitBytes: 1 << 20 });
      const [session, other] = [1, 2].map(() => new ModelSession(store, { runs: true })) as [
        ModelSession,
        ModelSession,
      ];
      for (let i = 0; i < 60; i++) {
        for (const each of [session, other])
          each.write(DOWN, Buffer.concat([40_000, 5, 6].map((n) => frame(DOWN, n, i))));
      }
      const since = store.status().seq;
      store.deleteSession(session.id);
      session.emptied();
      const seen: number[] = [];
      for (let i = 0; i < 30; i++) {
        for (const each of [session, other]) each.write(DOWN, frame(DOWN, 300, i));
        store.rowsSince(since, Infinity, (row) => void (row.session === session.record.number && seen.push(row.index)));
        expectHeld(store, [session, other], { all: true });
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(new Set(seen)).toEqual(new Set(session.frames.map(({ index }) => index)));
      for (let i = 0; store.status().evicted.frames === 0; i++) other.write(DOWN, frame(DOWN, 100_000, i));
      expect(store.frames(session.id, 0, Infinity)?.length).toBe(30);
      expectHeld(store, [session, other]);
    });
    it('a session takes rows with it that were repeated elsewhere, also where the first ones are evicted', async () => {
      for (const evicts of [false, true]) {
        const store = make({ budgetBytes: evicts ? 2 << 20 : 64 << 20, payloadLimitBytes: 1 << 20 });
        const [session, other] = [new ModelSession(store), new ModelSession(store)];
        const bytes = frame(DOWN, 600_000, 1);
        session.write(DOWN, bytes.subarray(0, 1000));
        store.rowsSince(0, Infinity, () => undefined);
        // The row that is repeated lies in another segment, in which the session has no frame.
        const fill = (times: number): void => {
          for (let i = 0; i < times; i++) other.write(DOWN, frame(DOWN, 50_000, i));
        };
        fill(evicts ? 10 : 100);
        session.write(DOWN, bytes.subarray(1000));
        const shown = (): number[] => {
          const seen: number[] = [];
          store.rowsSince(0, Infinity, (row) => void (row.session === session.record.number && seen.push(row.index)));
          return seen;
        };
        for (let i = 0; evicts && store.frames(session.id, 0, 1)?.length === 1; i++) fill(1);
        expect(shown().length).toBeGreaterThan(0);
        const residents = (): number => store.log.segments.filter(({ tenants }) => tenants.includes(Number(id))).length;
        const { id } = session;
        expect(residents()).toBeGreaterThan(0);
        session.close();
        store.deleteSession(id);
        for (let turn = 0; turn < 100; turn++) {
          expect(shown()).toEqual([]);
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(shown()).toEqual([]);
        expect(residents()).toBe(0);
        expectHeld(store, [other]);
        const slabBytes = store.log.segments.reduce((sum, { slabTop }) => sum + slabTop, 0);
        if (!evicts) expect(slabBytes).toBe(100 * frame(DOWN, 50_000, 0).length);
      }
    });
    it('what has been deleted is not told as evicted, though its segments go before they are copied', async () => {
      const store = make({ budgetBytes: 16 << 20, payloadLimitBytes: 16 << 20 });
      const [goes, stays] = [1, 2].map(() => new ModelSession(store, { runs: true })) as [ModelSession, ModelSession];
      const chunk = Buffer.concat(Array<Buffer>(500).fill(frame(DOWN, 100, 1)));
      for (let i = 0; i < 280; i++) goes.write(DOWN, chunk);
      for (let i = 0; i < 10; i++) stays.write(DOWN, chunk);
      const before = store.status().evicted.frames;
      store.deleteSession(goes.id);
      for (let round = 0; round < 60; round++) {
        for (let i = 0; i < 10; i++) stays.write(DOWN, chunk);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const lost = stays.frameCount - (store.frames(stays.id, 0, Infinity)?.length ?? 0);
      expect(lost).toBeGreaterThan(0);
      expect(store.status().evicted.frames - before).toBe(lost);
    });
    it('one session after another does not eat the others', () => {
      const store = make({ budgetBytes: 4 << 20, payloadLimitBytes: 1 << 20 });
      const goes = Array.from({ length: 300 }, (_, i) => {
        const session = new ModelSession(store);
        session.write(DOWN, frame(DOWN, 100, i));
        session.close();
        return session;
      });
      const stays = new ModelSession(store);
      for (const [i, { id }] of goes.entries()) {
        stays.write(UP, frame(UP, 1000, i));
        store.deleteSession(id);
      }
      expect(store.status().evicted.frames).toBe(0);
      expectHeld(store, [stays], { all: true });
    });
    it('an open one empties it, and it goes on', () => {
      const store = roomy();
      const session = new ModelSession(store);
      const other = new ModelSession(store);
      const bytes = frame(UP, 500, 1);
      session.write(UP, frame(UP, 50, 0));
      session.write(UP, bytes.subarray(0, 200));
      store.rowsSince(0, Infinity, () => undefined);
      other.write(UP, bytes.subarray(0, 5));
      expect(store.deleteSession(session.id)).toBe(true);
      session.emptied();
      expect(store.frames(session.id, 0, 10)).toEqual([]);
      expect(store.session(session.id)).toMatchObject({ state: 'open', frameCount: 2, firstHeldFrame: 2 });
      session.write(UP, bytes.subarray(200));
      other.write(UP, bytes.subarray(5));
      expect(store.frames(session.id, 0, 10)).toEqual([]);
      const resurrected: number[] = [];
      store.rowsSince(0, Infinity, (row) => void (row.session === Number(session.id) && resurrected.push(row.index)));
      expect(resurrected).toEqual([]);
      session.write(UP, frame(UP, 20, 3));
      expect(store.frames(session.id, 0, 10)?.map(({ index }) => index)).toEqual([2]);
      expectHeld(store, [session, other], { all: true });
    });
    it('everything begins a new epoch', () => {
      const store = roomy();
      const open = new ModelSession(store);
      const closed = new ModelSession(store);
      for (const session of [open, closed]) session.write(DOWN, frame(DOWN, 100, 1));
      closed.close();
      const { epoch, seq } = store.status();
      store.clear();
      open.emptied();
      const status = store.status();
      expect(status.epoch).not.toBe(epoch);
      expect(status.seq).toBeGreaterThan(seq);
      expect(status).toMatchObject({ sessions: 1, openSessions: 1, evicted: { sessions: 0, frames: 0, bytes: 0 } });
      expect(store.frames(closed.id, 0, 1)).toBeUndefined();
      expect(store.frames(open.id, 0, 1)).toEqual([]);
      open.write(DOWN, frame(DOWN, 30, 2));
      expectHeld(store, [open], { all: true });
    });
  });

  describe(`${name}: recording`, () => {
    it('stopped keeps nothing and counts all; resumed it keeps what begins then', () => {
      const store = roomy();
      const session = new ModelSession(store);
      session.write(UP, frame(UP, 10, 0));
      store.setRecording(false);
      session.write(UP, frame(UP, 10, 1));
      store.setRecording(true);
      session.write(UP, frame(UP, 10, 2));
      expect(store.frames(session.id, 0, 10)?.map(({ index }) => index)).toEqual([0, 2]);
      expect(store.session(session.id)).toMatchObject({ frameCount: 3, clientToServer: { frames: 3, bytes: 30 } });
      expectHeld(store, [session], { all: true });
    });
    it('stopped lists nothing that opens; resumed it lists what is still there, with its handshake, counts and marks', () => {
      const store = roomy();
      store.setRecording(false);
      const client = { address: '127.0.0.1', port: 50_000 };
      const waiting = store.openSession({ url: 'ws://model.test/wait', mode: 'connect', client }) as SessionRecord;
      const [ended, open] = [new ModelSession(store), new ModelSession(store)];
      for (const session of [ended, open]) {
        session.record.update({ status: 101, server: { address: '10.0.0.7', port: 443, tls: null } });
        session.write(UP, frame(UP, 10, 0));
      }
      open.record.violation('subprotocol-not-offered', 'server');
      ended.close();
      expect(store.sessions({ limit: 9 })).toEqual([]);
      expect(store.status()).toMatchObject({ sessions: 0, frames: 0 });
      const { seq } = store.status();

      store.setRecording(true);
      expect(store.sessions({ limit: 9 }).map(({ id, state }) => [id, state])).toEqual([
        [waiting.id, 'connecting'],
        [open.id, 'open'],
      ]);
      expect(store.sessionsSince(seq).changed).toHaveLength(2);
      open.write(UP, frame(UP, 10, 1));
      expect(store.session(open.id)).toMatchObject({
        frameCount: 2,
        violationCount: 1,
        status: 101,
        server: { address: '10.0.0.7', port: 443 },
      });
      expect(store.frames(open.id, 0, 9)?.map(({ index }) => index)).toEqual([1]);
      expectHeld(store, [open], { all: true });
      const next = new ModelSession(store);
      expect(Number(next.id)).toBeGreaterThan(Number(open.id));
      waiting.opened();
      waiting.closed();
      for (const session of [open, next]) session.close();
      expect(store.status()).toMatchObject({ sessions: 3, openSessions: 0 });
    });
    it('stopped counts what is kept of sessions that are there, and nothing of those that have ended', () => {
      const store = roomy();
      store.setRecording(false);
      const before = store.status().memory.usedBytes;
      const sessions = Array.from({ length: 1000 }, () => {
        const session = new ModelSession(store);
        const headers = [['Cookie', 'x'.repeat(8000)]] as const;
        const clientRequest = { method: 'GET', target: '/', httpVersion: '1.1', headers };
        session.record.update({ handshake: { clientRequest } });
        return session;
      });
      expect(store.status().memory.usedBytes - before).toBeGreaterThan(1000 * 8000);
      for (const session of sessions) session.close();
      expect(store.status().memory.usedBytes - before).toBeLessThan(2.5e6);
    });
    it('turned off and on anywhere in a frame never shows bytes that are not where they belong', () => {
      const bytes = Buffer.concat([frame(UP, 130, 1), frame(UP, 20, 2)]);
      for (let off = 0; off <= bytes.length; off += off < 12 ? 1 : 7) {
        for (let on = off; on <= bytes.length; on += on < 12 ? 1 : 7) {
          for (const stepBytes of [1, 1000]) {
            const store = roomy();
            const session = new ModelSession(store);
            const parts = [bytes.subarray(0, off), bytes.subarray(off, on), bytes.subarray(on)];
            for (const [i, part] of parts.entries()) {
              store.setRecording(i !== 1);
              for (let at = 0; at < part.length; at += stepBytes) session.write(UP, part.subarray(at, at + stepBytes));
            }
            expectHeld(store, [session]);
            expect(store.session(session.id)).toMatchObject({
              frameCount: 2,
              clientToServer: { frames: 2, bytes: 150 },
            });
            expect(store.frames(session.id, 0, 9)?.map(({ index }) => index)).toEqual(
              session.frames.map(({ index }) => index),
            );
          }
        }
      }
    });
  });

  describe(`${name}: the log`, () => {
    it('gives rows in order, each once, and again when it has changed since it was read', () => {
      const store = roomy();
      const session = new ModelSession(store);
      const view: [index: number, complete: boolean, violations: number][] = [];
      let since = 0;
      const read = (limit = Infinity) => {
        view.length = 0;
        store.rowsSince(since, limit, (row) => {
          expect(row.seq).toBeGreaterThan(since);
          since = row.seq;
          view.push([row.index, (row.bits & (1 << 17)) !== 0, row.violations]);
        });
        return view;
      };
      const bytes = frame(DOWN, 1000, 1);
      session.write(DOWN, frame(DOWN, 5, 0));
      session.write(DOWN, bytes.subarray(0, 100));
      expect(read()).toEqual([[0, true, 0], [1, false, 0]]); // prettier-ignore
      expect(read()).toEqual([]);
      session.write(DOWN, bytes.subarray(100, 200));
      session.violate(DOWN, ViolationBit['invalid-utf8']);
      session.write(UP, frame(UP, 5, 2));
      session.write(DOWN, bytes.subarray(200));
      expect(read(1)).toEqual([[1, false, ViolationBit['invalid-utf8']]]);
      expect(read()).toEqual([[2, true, 0], [1, true, ViolationBit['invalid-utf8']]]); // prettier-ignore
      // Changed before anybody had read it: once is enough.
      session.write(DOWN, bytes.subarray(0, 100));
      session.write(DOWN, bytes.subarray(100));
      expect(read()).toEqual([[3, true, 0]]);
      expect(store.frames(session.id, 0, 10)?.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
      expectHeld(store, [session], { all: true });
    });
    it('gives a row that somebody has had by itself with a higher number when it has changed since', () => {
      const store = roomy();
      const session = new ModelSession(store);
      const bytes = frame(DOWN, 1000, 1);
      session.write(DOWN, bytes.subarray(0, 100));
      const before = store.frames(session.id, 0, 1)?.[0];
      session.write(DOWN, bytes.subarray(100));
      const seen: number[] = [];
      store.rowsSince(0, Infinity, ({ bits, seq }) => void ((bits & (1 << 17)) !== 0 && seen.push(seq)));
      expect(before?.complete).toBe(false);
      expect(Math.max(...seen)).toBeGreaterThan(before?.seq ?? Infinity);
      expect(store.frames(session.id, 0, 1)?.[0]).toMatchObject({ complete: true, seq: before?.seq });
    });
    it('stops where the visitor says', () => {
      const store = roomy();
      const session = new ModelSession(store);
      for (let i = 0; i < 10; i++) session.write(DOWN, frame(DOWN, 5, i));
      let visits = 0;
      store.rowsSince(0, Infinity, () => (++visits < 4 ? undefined : false));
      expect(visits).toBe(4);
    });
    it('tells which sessions have changed, and which are gone', () => {
      const store = roomy();
      const sessions = [1, 2, 3].map(() => new ModelSession(store));
      const [first, second, third] = sessions as [ModelSession, ModelSession, ModelSession];
      const all = store.sessionsSince(0);
      expect(all.changed.map(({ id }) => id)).toEqual([first.id, second.id, third.id]);
      const { seq } = store.status();
      expect(store.sessionsSince(seq)).toEqual({ changed: [], all: true, removed: [], kept: null });
      first.write(UP, frame(UP, 5, 1));
      second.close();
      expect(
        store
          .sessionsSince(seq)
          .changed.map(({ id }) => id)
          .sort(),
      ).toEqual([first.id, second.id]);
      store.deleteSession(second.id);
      const later = store.sessionsSince(seq);
      expect(later.changed.map(({ id }) => id)).toEqual([first.id]);
      expect(later.removed).toEqual([second.id]);
      expect(store.sessionsSince(store.status().seq).removed).toEqual([]);
    });
    it('tells which sessions are left where more are gone than it remembers', () => {
      const store = make({ budgetBytes: 1 << 20, payloadLimitBytes: 1 << 20 });
      const told = new Set<string>();
      let since = 0;
      for (let i = 0; i < 6000; i++) {
        new ModelSession(store).close();
        if (i % 2500 !== 100) continue;
        const { changed, removed, kept } = store.sessionsSince(since);
        for (const id of removed) told.delete(id);
        if (kept !== null) for (const id of told) if (!kept.includes(id)) told.delete(id);
        for (const { id } of changed) told.add(id);
        expect(kept === null).toBe(i === 100);
        expect([...told]).toEqual(store.sessions({ limit: 10_000 }).map(({ id }) => id));
        since = store.status().seq;
      }
    });
    it('tells of the sessions that changed first where not all are asked for, and lists them in either order', () => {
      const store = roomy();
      const [first, second, third] = [1, 2, 3].map(() => new ModelSession(store)) as [
        ModelSession,
        ModelSession,
        ModelSession,
      ];
      store.status();
      first.write(UP, frame(UP, 5, 1));
      const ids = (sessions: readonly { readonly id: string }[]): string[] => sessions.map(({ id }) => id);
      const some = store.sessionsSince(0, 2);
      expect([ids(some.changed), some.all]).toEqual([[second.id, third.id], false]);
      const rest = store.sessionsSince(some.changed[1]?.seq ?? 0, 2);
      expect([ids(rest.changed), rest.all]).toEqual([[first.id], true]);
      expect(ids(store.sessions({ limit: 2 }))).toEqual([first.id, second.id]);
      expect(ids(store.sessions({ limit: 2, order: 'newest' }))).toEqual([third.id, second.id]);
      expect(ids(store.sessions({ limit: 2, order: 'newest', after: second.id }))).toEqual([first.id]);
    });
    it('calls its listeners after it has grown, once a turn, until they go', async () => {
      const store = roomy();
      const session = new ModelSession(store);
      await new Promise((resolve) => setImmediate(resolve));
      let calls = 0;
      const stop = store.subscribe(() => calls++);
      for (let i = 0; i < 5; i++) session.write(UP, frame(UP, 5, i));
      expect(calls).toBe(0);
      await new Promise((resolve) => setImmediate(resolve));
      expect(calls).toBe(1);
      session.write(UP, frame(UP, 5, 9));
      await new Promise((resolve) => setImmediate(resolve));
      expect(calls).toBe(2);
      stop();
      session.write(UP, frame(UP, 5, 9));
      await new Promise((resolve) => setImmediate(resolve));
      expect(calls).toBe(2);
    });
  });

  describe(`${name}: anything in any order`, () => {
    const step = fc.oneof(
      { weight: 12, arbitrary: fc.record({ kind: fc.constant('write' as const), who: fc.nat(5), up: fc.boolean(), take: fc.oneof(fc.nat(40), fc.nat(40_000)) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('open' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('close' as const, 'delete' as const), who: fc.nat(5) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('read' as const, 'record' as const, 'look' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), sure: fc.nat(9) }) },
    ); // prettier-ignore
    type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

    for (const [budget, budgetBytes, payloadLimitBytes] of [
      ['with room', 64 << 20, 50_000],
      ['with eviction', 512 << 10, 50_000],
      ['with room, many at a time', 64 << 20, 16 << 20],
      ['with eviction, many at a time', 512 << 10, 16 << 20],
    ] as const) {
      it(`${budget}: no frame ever has bytes that are not its own, and a live view knows every frame as it is`, async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }),
            fc.integer(),
            async (steps, seed) => {
              await play(make({ budgetBytes, payloadLimitBytes }), steps, seed);
            },
          ),
          { numRuns: 150 },
        );
      });
    }

    async function play(store: StoreUnderTest, steps: readonly Step[], seed: number): Promise<void> {
      const view = new LiveView();
      let sessions = [new ModelSession(store, { runs: true })];
      const upStreams = new Map<ModelSession, Buffer>();
      const downStreams = new Map<ModelSession, Buffer>();
      let written = seed & 0xffff;
      let clears = 0;
      // One that opened while recording was stopped is listed when it goes on, if it is still there.
      const listed = (): ModelSession[] => sessions.filter(({ record }) => record.number > 0);
      const nextBytes = (session: ModelSession, direction: Direction, take: number): Uint8Array => {
        const streams = direction === UP ? upStreams : downStreams;
        let stream = streams.get(session) ?? Buffer.alloc(0);
        while (stream.length < take) {
          written++;
          const length = [0, 3, 126, 900, 20_000, 60_000][(written * 7) % 6] as number;
          stream = Buffer.concat([stream, frame(direction, length, written)]);
        }
        streams.set(session, stream.subarray(take));
        return stream.subarray(0, take);
      };
      for (const action of steps) {
        const who = 'who' in action ? sessions[action.who % Math.max(1, sessions.length)] : undefined;
        switch (action.kind) {
          case 'write': {
            const direction = action.up ? UP : DOWN;
            if (who?.record.live === true) who.write(direction, nextBytes(who, direction, action.take + 1));
            break;
          }
          case 'open':
            if (sessions.length < 6) sessions.push(new ModelSession(store, { runs: sessions.length % 3 > 0 }));
            break;
          case 'close':
            if (who?.record.live === true) who.close();
            break;
          case 'delete':
            if (who === undefined) break;
            store.deleteSession(who.id);
            if (who.record.live) who.emptied();
            else sessions = sessions.filter((session) => session !== who);
            break;
          case 'read':
            view.read(store);
            await new Promise((resolve) => setImmediate(resolve));
            break;
          case 'look':
            expectHeld(store, listed());
            break;
          case 'record':
            store.setRecording(!store.recording);
            break;
          case 'clear':
            if (action.sure > 0) break;
            store.clear();
            clears++;
            for (const session of sessions) session.emptied();
            sessions = sessions.filter(({ record }) => record.live);
            break;
        }
      }
      const evicted = store.status().evicted.frames > 0 || budgetIsTight(store);
      expectHeld(store, listed(), { all: !evicted && sessions.every(({ frames }) => frames.every(fits)) });
      view.read(store);
      view.expectCurrent(store, listed());
      expect(clears).toBeGreaterThanOrEqual(0);
    }
    const budgetIsTight = (store: StoreUnderTest): boolean => store.status().memory.budgetBytes < 1 << 20;
    const fits = (held: { readonly complete: boolean; readonly holed: boolean; readonly bytes: Buffer }): boolean =>
      held.complete && !held.holed && held.bytes.length < 50_000;
  });
}
