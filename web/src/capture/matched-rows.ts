import type { FrameRow } from '../../../src/contract/frame.ts';
import { isUnfinished, storedRow, type StoredRow } from './stored-row.ts';

/** About 2 MB. */
const MAX_MATCHES = 4000;

/** Rows that a filter found, by frame index: far apart, as they may be, a chunk for each would soon be too many. */
export class MatchedRows {
  /** Taken most recently goes last. */
  readonly #rows = new Map<number, StoredRow>();

  at(index: number): StoredRow | undefined {
    return this.#rows.get(index);
  }

  /** Takes rows in, and lets the oldest go that are not among the frames that are looked at. */
  take(rows: readonly FrameRow[], viewFirst: number, viewLast: number): void {
    for (const row of rows) {
      this.#rows.delete(row.index);
      this.#rows.set(row.index, storedRow(row));
    }
    for (const index of this.#rows.keys()) {
      if (this.#rows.size <= MAX_MATCHES) return;
      if (index < viewFirst || index > viewLast) this.#rows.delete(index);
    }
  }

  forget(index: number): void {
    this.#rows.delete(index);
  }

  forgetIncomplete(): void {
    for (const [index, { bits }] of this.#rows) if (isUnfinished(bits)) this.#rows.delete(index);
  }

  clear(): void {
    this.#rows.clear();
  }
}
