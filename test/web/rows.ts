import { encodeRows, fakeRow } from './mock-capture.ts';
import { decodeLiveBatch, type LiveBatch } from '../../src/contract/live.ts';
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
