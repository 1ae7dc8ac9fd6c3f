import type { Place } from './residence.ts';
import { AGAIN_BIT, RowWord, type Segment } from './segment.ts';

/** Segments whose rows are kept sorted by session at a time; each costs 4 bytes a row. */
const SEGMENTS_INDEXED = 64;

/** A session as it is looked into. */
interface Indexed {
  readonly number: number;
  readonly residence: readonly Place[];
}

interface SegmentIndex {
  rowsSeen: number;
  readonly rows: Map<number, number[]>;
}

/** Finds a session's frame by its index. Made for a segment when somebody looks into it, and continued as it fills. */
export class RowIndex {
  #segments = new Map<Segment, SegmentIndex>();
  #rowsIndexed = 0;

  get costBytes(): number {
    return this.#rowsIndexed * 4;
  }

  forget(): void {
    this.#segments = new Map();
    this.#rowsIndexed = 0;
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
      const rows = this.#rows(at.segment).get(session.number) ?? [];
      for (let i = lowerBound(rows, at.segment, from); i < rows.length; i++) {
        if (!visit(at.segment, at.segment.wordAt(rows[i] as number))) return;
      }
    }
  }

  #rows(segment: Segment): Map<number, number[]> {
    let known = this.#segments.get(segment);
    if (known === undefined) {
      if (this.#segments.size >= SEGMENTS_INDEXED) this.#drop();
      known = { rowsSeen: 0, rows: new Map() };
      this.#segments.set(segment, known);
    }
    this.#rowsIndexed += segment.rowCount - known.rowsSeen;
    for (; known.rowsSeen < segment.rowCount; known.rowsSeen++) {
      const word = segment.wordAt(known.rowsSeen);
      if (((segment.words[word + RowWord.Bits] as number) & AGAIN_BIT) !== 0) continue;
      const session = segment.words[word + RowWord.Session] as number;
      const rows = known.rows.get(session);
      if (rows === undefined) known.rows.set(session, [known.rowsSeen]);
      else rows.push(known.rowsSeen);
    }
    return known.rows;
  }

  /** Lets the segment go that was looked into first. */
  #drop(): void {
    const first = this.#segments.entries().next().value;
    if (first === undefined) return;
    this.#segments.delete(first[0]);
    this.#rowsIndexed -= first[1].rowsSeen;
  }
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
