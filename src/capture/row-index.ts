import type { Place } from './residence.ts';
import { AGAIN_BIT, RowWord, type Segment } from './segment.ts';

/** What a list of rows costs: its place in the map, the array, and the room for 17 rows that it is given. Measured. */
const LIST_COST_BYTES = 240;
/** What a row, or a run of them, costs, with the room that arrays keep to grow. */
const ROW_COST_BYTES = 12;
/** What nobody has looked into for so long goes first when room is needed. */
const IDLE_US = 10_000_000;

/** A session as it is looked into. */
interface Indexed {
  readonly number: number;
  readonly residence: readonly Place[];
}

interface SegmentIndex {
  linesSeen: number;
  rowsSeen: number;
  /** The lines of rows, by session. */
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

  find(session: Indexed, index: number): { readonly segment: Segment; readonly place: number } | undefined {
    let found: { segment: Segment; place: number } | undefined;
    this.visit(session, index, (segment, place) => {
      if (segment.indexAt(place) === index) found = { segment, place };
      return false;
    });
    return found;
  }

  /** Calls `visit` for the places of the session's frames with index >= `from`, in order, until it returns false. */
  visit(session: Indexed, from: number, visit: (segment: Segment, place: number) => boolean): void {
    const { residence } = session;
    let place = residence.length - 1;
    while (place > 0 && (residence[place]?.firstIndex ?? 0) > from) place--;
    for (; place >= 0 && place < residence.length; place++) {
      const segment = residence[place]?.segment;
      if (segment === undefined) return;
      const lines = this.#lists(segment).get(session.number) ?? [];
      for (let i = lowerBound(lines, segment, from); i < lines.length; i++) {
        const line = lines[i] as number;
        const first = segment.placeOf(line);
        const end = first + segment.framesAt(line);
        for (let at = Math.max(first, first + from - segment.indexAt(first)); at < end; at++) {
          if (!visit(segment, at)) return;
        }
      }
    }
  }

  #lists(segment: Segment): Map<number, number[]> {
    const known = this.#segments.get(segment) ?? {
      linesSeen: 0,
      rowsSeen: 0,
      lists: new Map<number, number[]>(),
      usedUs: 0,
    };
    const { lists } = known;
    known.usedUs = this.#clock();
    if (segment === this.#latest && known.linesSeen === segment.lineCount) return lists;
    this.drop(segment);
    for (let line = known.linesSeen; line < segment.lineCount; line = known.linesSeen) {
      known.linesSeen += segment.linesAt(line);
      known.rowsSeen++;
      const word = segment.wordAt(line);
      if (((segment.words[word + RowWord.Bits] as number) & AGAIN_BIT) !== 0) continue;
      const session = segment.words[word + RowWord.Session] as number;
      const rows = lists.get(session);
      if (rows === undefined) lists.set(session, [line]);
      else rows.push(line);
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

/** Position of the first row with a frame of index >= `from`. */
function lowerBound(lines: readonly number[], segment: Segment, from: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const line = lines[middle] as number;
    if (segment.indexAt(segment.placeOf(line)) + segment.framesAt(line) > from) high = middle;
    else low = middle + 1;
  }
  return low;
}
