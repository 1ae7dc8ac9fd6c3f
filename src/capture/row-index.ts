import type { Place } from './residence.ts';
import { AGAIN_BIT, RowWord, type Segment } from './segment.ts';

/** What a list of rows costs: its place in the map, the array, and the room for 17 rows that it is given. Measured. */
const LIST_COST_BYTES = 240;
/** What a row costs, with the room that arrays keep to grow. */
const ROW_COST_BYTES = 12;
/** What nobody has looked into for so long goes first when room is needed. */
const IDLE_US = 10_000_000;

/** A session as it is looked into. */
interface Indexed {
  readonly number: number;
  readonly residence: readonly Place[];
}

interface SegmentIndex {
  rowsSeen: number;
  /** Numbers of rows, by session. */
  readonly lists: Map<number, number[]>;
  usedUs: number;
}

/** Finds a session's frame by its index. Made for a segment when somebody looks into it, and continued as it fills. */
export class RowIndex {
  readonly #maxBytes: number;
  readonly #clock: () => number;
  /** Those looked into last at the end. */
  readonly #segments = new Map<Segment, SegmentIndex>();
  #latest: Segment | null = null;
  #costBytes = 0;

  /** @param options.maxBytes holds for all but the segment that was looked into last */
  constructor(options: { readonly maxBytes: number; readonly clock: () => number }) {
    this.#maxBytes = options.maxBytes;
    this.#clock = options.clock;
  }

  get costBytes(): number {
    return this.#costBytes;
  }

  forget(): void {
    this.#segments.clear();
    this.#latest = null;
    this.#costBytes = 0;
  }

  /** The segment leaves the log. */
  drop(segment: Segment): void {
    const known = this.#segments.get(segment);
    if (known === undefined) return;
    this.#segments.delete(segment);
    if (this.#latest === segment) this.#latest = null;
    this.#costBytes -= costOf(known);
  }

  /** Room is needed: lets go of what nobody has looked into lately. */
  makeRoom(): void {
    const idleSinceUs = this.#clock() - IDLE_US;
    for (const [segment, { usedUs }] of this.#segments) if (usedUs < idleSinceUs) this.drop(segment);
  }

  find(session: Indexed, index: number): { readonly segment: Segment; readonly word: number } | undefined {
    let found: { segment: Segment; word: number } | undefined;
    this.visit(session, index, (segment, word) => {
      if (segment.words[word + RowWord.Index] === index) found = { segment, word };
      return false;
    });
    return found;
  }

  /** Calls `visit` for the session's rows with index >= `from`, in order, until it returns false. */
  visit(session: Indexed, from: number, visit: (segment: Segment, word: number) => boolean): void {
    const { residence } = session;
    let place = residence.length - 1;
    while (place > 0 && (residence[place]?.firstIndex ?? 0) > from) place--;
    for (; place >= 0 && place < residence.length; place++) {
      const at = residence[place];
      if (at === undefined) return;
      const rows = this.#lists(at.segment).get(session.number) ?? [];
      for (let i = lowerBound(rows, at.segment, from); i < rows.length; i++) {
        if (!visit(at.segment, at.segment.wordAt(rows[i] as number))) return;
      }
    }
  }

  #lists(segment: Segment): Map<number, number[]> {
    const known = this.#segments.get(segment) ?? { rowsSeen: 0, lists: new Map<number, number[]>(), usedUs: 0 };
    const { lists } = known;
    known.usedUs = this.#clock();
    if (segment === this.#latest && known.rowsSeen === segment.rowCount) return lists;
    this.drop(segment);
    for (; known.rowsSeen < segment.rowCount; known.rowsSeen++) {
      const word = segment.wordAt(known.rowsSeen);
      if (((segment.words[word + RowWord.Bits] as number) & AGAIN_BIT) !== 0) continue;
      const session = segment.words[word + RowWord.Session] as number;
      const rows = lists.get(session);
      if (rows === undefined) lists.set(session, [known.rowsSeen]);
      else rows.push(known.rowsSeen);
    }
    this.#costBytes += costOf(known);
    for (const oldest of this.#segments.keys()) {
      if (this.#costBytes <= this.#maxBytes) break;
      this.drop(oldest);
    }
    this.#segments.set(segment, known);
    this.#latest = segment;
    return lists;
  }
}

function costOf({ rowsSeen, lists }: SegmentIndex): number {
  return lists.size * LIST_COST_BYTES + rowsSeen * ROW_COST_BYTES;
}

function lowerBound(rows: readonly number[], segment: Segment, from: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const word = segment.wordAt(rows[middle] as number);
    if ((segment.words[word + RowWord.Index] as number) >= from) high = middle;
    else low = middle + 1;
  }
  return low;
}
