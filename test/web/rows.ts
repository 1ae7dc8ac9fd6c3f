import { encodeRows, fakeRow } from './mock-capture.ts';
import { decodeLiveBatch, type LiveBatch } from '../../src/contract/live.ts';
import type { RowStore } from '../../web/src/capture/row-store.ts';
import type { FrameRow } from '../../src/contract/frame.ts';

/** Rows [from, to) of one session, as the API lists them. */
export function listed(from: number, to: number): FrameRow[] {
  return Array.from({ length: to - from }, (_, at) => fakeRow(from + at, 1_700_000_000_000));
}

/** The same rows as the live stream sends them. */
export function batch(session: number, from: number, to: number): LiveBatch {
  const bytes = encodeRows(session, from, to, 0, 1_700_000_000_000);
  return decodeLiveBatch(bytes.slice().buffer);
}

/** The first and one past the last index in [from, to) whose row, or whose readable text, is not there; or null. */
export function missingIn(store: RowStore, from: number, to: number): { from: number; to: number } | null {
  const missing: number[] = [];
  for (let index = from; index < to; index += 1) {
    if (store.at(index)?.textReady !== true && !store.isUnrecorded(index)) missing.push(index);
  }
  const [first] = missing;
  return first === undefined ? null : { from: first, to: (missing.at(-1) ?? first) + 1 };
}
