import { describe, expect, test } from 'vitest';
import { compressed, FrameBit } from '../../../src/contract/frame-bits.ts';
import { CHUNK_ROWS } from '../../../web/src/capture/row-chunk.ts';
import { RowStore } from '../../../web/src/capture/row-store.ts';
import { bitsOf } from '../../../web/src/capture/stored-row.ts';
import { fakeFrame } from '../mock-capture.ts';
import { batch, listed, missingIn } from '../rows.ts';

describe('rows of a session', () => {
  test('a live row and the same row listed by the API read the same', () => {
    const live = new RowStore();
    const fetched = new RowStore();
    live.applyBatch(batch(7, 0, 200), 7);
    fetched.applyRows(listed(0, 200));
    for (let index = 0; index < 200; index += 1) {
      const [a, b] = [live.at(index), fetched.at(index)];
      expect({ ...a, text: '', textReady: true }).toEqual({ ...b, text: '', textReady: true });
      expect(b?.text.startsWith(a?.text.slice(0, 20) ?? '?')).toBe(true);
    }
  });

  test('only rows of the wanted session are taken out of a batch', () => {
    const store = new RowStore();
    expect(store.applyBatch(batch(7, 0, 10), 8)).toBe(0);
    expect(store.at(0)).toBeUndefined();
    expect(store.applyBatch(batch(7, 0, 10), 7)).toBe(10);
    expect(store.end).toBe(10);
  });

  test('a row that comes again replaces the one before', () => {
    const store = new RowStore();
    const rows = batch(7, 0, 1);
    rows.bits[0] = (rows.bits[0] ?? 0) & ~FrameBit.Complete;
    store.applyBatch(rows, 7);
    expect((store.at(0)?.bits ?? 0) & FrameBit.Complete).toBe(0);
    store.applyBatch(batch(7, 0, 1), 7);
    expect((store.at(0)?.bits ?? 0) & FrameBit.Complete).not.toBe(0);
  });

  test('after a gap an incomplete row counts as missing', () => {
    const store = new RowStore();
    const rows = batch(7, 0, 3);
    rows.bits[1] = (rows.bits[1] ?? 0) & ~FrameBit.Complete;
    store.applyBatch(rows, 7);
    store.forgetIncomplete();
    expect(missingIn(store, 0, 3)).toEqual({ from: 1, to: 2 });
  });

  test('after a gap the text of a compressed message counts as missing that came in parts', () => {
    const store = new RowStore();
    const rows = batch(7, 0, 3);
    for (const slot of [0, 1, 2]) rows.bits[slot] = (rows.bits[slot] ?? 0) | FrameBit.Compressed | 0x80;
    rows.bits[1] = (rows.bits[1] ?? 0) & ~0x80;
    store.applyBatch(rows, 7);
    const fetched = listed(0, 3).map((row) => ({ ...row, compressed: true, fin: row.index !== 1, preview: null }));
    store.applyRows(fetched);
    store.applyMatches(fetched.slice(1, 2));
    expect(missingIn(store, 0, 3)).toBeNull();
    store.forgetIncomplete();
    expect(missingIn(store, 0, 3)).toEqual({ from: 1, to: 2 });
  });

  test('rows are ready up to the first that waits for its text, and again from the end of what has been fetched', () => {
    const store = new RowStore();
    store.applyBatch(batch(7, 0, 3), 7);
    expect(store.readyEnd).toBe(3);
    const rows = batch(7, 3, 6);
    rows.bits[1] = (rows.bits[1] ?? 0) | FrameBit.Compressed;
    store.applyBatch(rows, 7);
    expect([store.readyEnd, store.end]).toEqual([4, 6]);
    store.applyRows(listed(1, 3));
    expect(store.readyEnd).toBe(4);
    store.applyRows(listed(4, 6));
    expect(store.readyEnd).toBe(6);
    store.applyBatch(batch(7, 6, 8), 7);
    expect(store.readyEnd).toBe(8);
  });

  test('the text of a compressed live row is missing until it has been fetched', () => {
    const store = new RowStore();
    const rows = batch(7, 0, 2);
    rows.bits[1] = (rows.bits[1] ?? 0) | FrameBit.Compressed;
    store.applyBatch(rows, 7);
    expect(store.at(1)?.textReady).toBe(false);
    expect(missingIn(store, 0, 2)).toEqual({ from: 1, to: 2 });
    store.applyRows(listed(1, 2).map((row) => ({ ...row, compressed: true })));
    expect(store.at(1)?.textReady).toBe(true);
    expect(missingIn(store, 0, 2)).toBeNull();
    expect(compressed(store.at(1)?.bits ?? 0)).toBe(true);
  });

  test('the first frame of a compressed message in pieces is asked for again when the last has come', () => {
    const store = new RowStore();
    const [first] = listed(0, 1);
    if (first === undefined) throw new Error('no row');
    const begun = { ...first, direction: 'client-to-server' as const, opcode: 1, fin: false, compressed: true };
    store.applyRows([{ ...begun, preview: null }]);
    expect(missingIn(store, 0, 1)).toBeNull();
    const rest = batch(7, 1, 2);
    rest.bits[0] = FrameBit.Compressed | FrameBit.Complete | 0x80;
    store.applyBatch(rest, 7);
    expect(missingIn(store, 0, 1)).toEqual({ from: 0, to: 1 });
  });

  test('missing rows are told as one range', () => {
    const store = new RowStore();
    store.applyRows(listed(10, 20));
    store.applyRows(listed(30, 40));
    expect(missingIn(store, 5, 45)).toEqual({ from: 5, to: 45 });
    expect(missingIn(store, 12, 33)).toEqual({ from: 20, to: 30 });
    expect(missingIn(store, 10, 20)).toBeNull();
  });

  test('rows that a filter found are held however far apart they are, those in view to the last', () => {
    const store = new RowStore();
    const found = (from: number, to: number) => listed(from, to).map((row) => ({ ...row, index: row.index * 2000 }));
    store.lookAt(0, 200_000);
    store.applyMatches(found(0, 100));
    store.applyMatches(found(100, 5000));
    expect([0, 99].map((n) => store.at(n * 2000)?.index)).toEqual([0, 198_000]);
    expect([200, 4999].map((n) => store.at(n * 2000)?.index)).toEqual([undefined, 9_998_000]);
    expect(store.heldChunks).toBe(0);
    expect(store.wantedIn(90, 220, (position) => position * 2000)).toEqual({ from: 101, to: 220 });
    expect(store.end).toBe(9_998_001);
  });

  test('what came later than what a filter found is what is shown', () => {
    const store = new RowStore();
    const [row] = listed(5, 6);
    if (row === undefined) throw new Error('no row');
    store.applyMatches([{ ...row, complete: false }]);
    expect(store.at(5)?.bits).toBe(bitsOf({ ...row, complete: false }));
    store.applyRows([{ ...row, seq: row.seq + 1 }]);
    expect(store.at(5)?.bits).toBe(bitsOf(row));
    store.applyMatches([{ ...row, complete: false }]);
    expect(store.at(5)?.bits).toBe(bitsOf(row));
    const far = new RowStore(2);
    far.applyMatches([{ ...row, complete: false }]);
    far.applyRows([{ ...row, seq: row.seq + 1 }]);
    far.applyRows(listed(5000, 5001));
    far.applyRows(listed(9000, 9001));
    expect(far.wantedIn(5, 6)).toEqual({ from: 5, to: 6 });
    store.forgetIncomplete();
    expect(store.at(5)?.bits).toBe(bitsOf(row));
  });

  test('what the server was asked for and does not have was not recorded, and is not asked for again', () => {
    const store = new RowStore();
    store.applyRows(listed(10, 20));
    store.noteUnrecorded(10, 30);
    expect([store.isUnrecorded(19), store.isUnrecorded(20), store.isUnrecorded(30)]).toEqual([false, true, false]);
    expect(missingIn(store, 10, 35)).toEqual({ from: 30, to: 35 });
    expect([store.at(25), store.timeAt(25)]).toEqual([undefined, Number.NaN]);
    store.applyBatch(batch(7, 25, 26), 7);
    expect(store.at(25)?.index).toBe(25);
  });

  test('memory is bounded: what is looked at and the end stay, what is farthest goes', () => {
    const store = new RowStore(4);
    store.lookAt(0, 50);
    for (let chunk = 0; chunk < 20; chunk += 1)
      store.applyBatch(batch(7, chunk * CHUNK_ROWS, chunk * CHUNK_ROWS + 2), 7);
    expect(store.heldChunks).toBe(4);
    expect(store.at(0)).toBeDefined();
    expect(store.at(19 * CHUNK_ROWS)).toBeDefined();
    expect(store.at(10 * CHUNK_ROWS)).toBeUndefined();
    expect(store.end).toBe(19 * CHUNK_ROWS + 2);
  });

  test('a chunk that is used again shows nothing of what was in it', () => {
    const store = new RowStore(2);
    store.applyBatch(batch(7, 0, CHUNK_ROWS), 7);
    store.applyBatch(batch(7, 5 * CHUNK_ROWS, 5 * CHUNK_ROWS + 1), 7);
    store.lookAt(5 * CHUNK_ROWS, 5 * CHUNK_ROWS);
    store.applyBatch(batch(7, 9 * CHUNK_ROWS, 9 * CHUNK_ROWS + 1), 7);
    store.applyBatch(batch(7, 12 * CHUNK_ROWS, 12 * CHUNK_ROWS + 1), 7);
    expect(store.at(12 * CHUNK_ROWS + 1)).toBeUndefined();
  });

  test('the word of bits made from a listed row is the one that the live stream sends', () => {
    for (const row of listed(0, 100)) expect(bitsOf(row)).toBe(fakeFrame(row.index).bits);
  });

  test('a continuation of a compressed message reads as compressed', () => {
    const store = new RowStore();
    store.applyRows(listed(0, 1).map((row) => ({ ...row, opcode: 0, compressed: true })));
    expect(compressed(store.at(0)?.bits ?? 0)).toBe(true);
  });

  test('a live row whose start is all that came is marked, and fetched when it is looked at', () => {
    const store = new RowStore();
    const rows = batch(7, 0, 200);
    store.applyBatch(rows, 7);
    const long = Array.from(rows.payloadLength).findIndex((length) => length > 200);
    const short = Array.from(rows.payloadLength).findIndex((length) => length > 0 && length < 40);
    expect(store.at(long)?.text.endsWith('…')).toBe(true);
    expect(store.at(short)?.text.endsWith('…')).toBe(false);
    expect(store.wantedIn(short, short + 1)).toBeNull();
    expect(store.wantedIn(long, long + 1)).toEqual({ from: long, to: long + 1 });
    store.applyRows(listed(long, long + 1));
    expect(store.wantedIn(long, long + 1)).toBeNull();
  });
});
