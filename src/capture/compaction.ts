import { FrameBit } from '../contract/frame-bits.ts';
import type { FrameLog } from './frame-log.ts';
import type { Place } from './residence.ts';
import {
  AGAIN_BIT,
  ROW_BYTES,
  ROW_WORDS,
  RowFloat,
  RowWord,
  RUN_BIT,
  RunWord,
  Segment,
  spanListBytes,
} from './segment.ts';

/** How long it may keep the event loop at a time, in milliseconds. */
const SLICE_MS = 5;

/** What is left to do for one session. */
interface Removal {
  readonly session: number;
  /** What has a higher sequence number stays. */
  readonly upTo: number;
  /** Segments with its rows that are yet to be looked through, the newest first: the last one is next. */
  readonly rows: Segment[];
  /** Segments with no other rows than its own. */
  readonly whole: Set<Segment>;
  /** Segments with its rows or bytes that are yet to be copied. */
  readonly copies: Set<Segment>;
  /** Its span lists. */
  readonly spans: Set<number[]>;
  others: OtherSessions | null;
}

/**
 * Takes sessions out of the log, so that their memory is really free: every segment that holds rows or bytes of one is
 * copied without them into a buffer of the size that is left. One session after another, a few segments in a turn of the
 * event loop; meanwhile all others are found where they are.
 */
export class Compaction {
  readonly #log: FrameLog;
  readonly #replaced: (segment: Segment) => void;
  readonly #sliceMs: number;
  readonly #removals: Removal[] = [];

  /**
   * @param options.replaced told of each segment that leaves the log for its copy
   * @param options.sliceMs at least one segment is looked through or copied in a turn
   */
  constructor(options: {
    readonly log: FrameLog;
    readonly replaced: (segment: Segment) => void;
    readonly sliceMs?: number | undefined;
  }) {
    this.#log = options.log;
    this.#replaced = options.replaced;
    this.#sliceMs = options.sliceMs ?? SLICE_MS;
  }

  /** @param upTo the last sequence number of the log: what comes after it stays */
  remove(session: { readonly number: number; readonly residence: readonly Place[] }, upTo: number): void {
    const log = this.#log;
    const rows = session.residence.map(({ segment }) => segment).reverse();
    // Nothing more is put into any segment that has something of it.
    if (rows.some((segment) => segment === log.current || pointsInto(segment, log.current))) log.seal();
    this.#removals.push({
      session: session.number,
      upTo,
      rows,
      whole: new Set(),
      copies: new Set(),
      spans: new Set(),
      others: null,
    });
    if (this.#removals.length === 1) this.#goOn();
  }

  /** A segment is about to be evicted: of what is counted then, nothing is what was to go anyway. */
  evicts(segment: Segment): void {
    for (const removal of this.#removals) {
      const at = removal.rows.indexOf(segment);
      if (at < 0) continue;
      removal.rows.splice(at, 1);
      lookThrough(this.#log, segment, removal);
    }
  }

  /** The log is emptied: there is nothing left to do. */
  stop(): void {
    this.#removals.length = 0;
  }

  /** A row that still lies in the log and is to go. */
  hides(row: { readonly session: number; readonly seq: number }): boolean {
    if (this.#removals.length === 0) return false;
    return this.#removals.some(({ session, upTo }) => row.session === session && row.seq <= upTo);
  }

  /** All rows of a segment are to go, as far as it has been looked through. */
  hidesAll(segment: Segment): boolean {
    return this.#removals.some(({ whole }) => whole.has(segment));
  }

  #goOn(): void {
    const endMs = performance.now() + this.#sliceMs;
    do {
      const [removal] = this.#removals;
      if (removal === undefined) return;
      if (!this.#step(removal)) this.#removals.shift();
    } while (performance.now() < endMs);
    const [next] = this.#removals;
    if (next === undefined) return;
    setImmediate(() => {
      if (this.#removals[0] === next) this.#goOn();
    });
  }

  /** Looks through a segment, or copies one; false where none was left. What has been evicted since is no matter. */
  #step(removal: Removal): boolean {
    const log = this.#log;
    const segment = removal.rows.pop();
    if (segment !== undefined) {
      if (log.segment(segment.id) === segment) lookThrough(log, segment, removal);
      return true;
    }
    removal.others ??= { number: removal.session, spans: spansBeside(log, removal.spans) };
    const { others } = removal;
    for (const old of removal.copies) {
      removal.copies.delete(old);
      if (log.segment(old.id) !== old) continue;
      const fresh = log.replace(old, (id) => withoutSession(log, old, { id, others }));
      removal.whole.delete(old);
      this.#replaced(old);
      for (const waiting of this.#removals) {
        const at = waiting.rows.indexOf(old);
        if (at >= 0) waiting.rows.splice(at, 1, ...(fresh === undefined ? [] : [fresh]));
      }
      return true;
    }
    return false;
  }
}

/** All but the session that is taken out. */
interface OtherSessions {
  /** Of the session that is taken out. */
  readonly number: number;
  /** Every span list of the others, once. */
  readonly spans: readonly number[][];
}

/** Some frame whose row is in `segment` has bytes in `slab`. */
function pointsInto(segment: Segment, slab: Segment): boolean {
  return segment.spans.some((list) => list.some((id, i) => i % 3 === 0 && id === slab.id));
}

/** Notes where a session's rows and bytes are. Its frames count no more. */
function lookThrough(log: FrameLog, segment: Segment, removal: Removal): void {
  const { words, floats } = segment;
  const { session, copies, spans } = removal;
  const add = (id: number): void => {
    const slab = log.segment(id);
    if (slab !== undefined) copies.add(slab);
  };
  copies.add(segment);
  let slabId = segment.id;
  let others = false;
  for (let line = 0; line < segment.lineCount; line += segment.linesAt(line)) {
    const word = segment.wordAt(line);
    if (words[word + RowWord.Session] !== session) {
      others = true;
      continue;
    }
    const bits = words[word + RowWord.Bits] as number;
    if ((bits & AGAIN_BIT) === 0) {
      segment.frameCount -= segment.framesAt(line);
      if ((bits & FrameBit.Complete) !== 0) {
        segment.payloadBytes -= floats[(word >> 1) + RowFloat.PayloadLength] as number;
      }
    }
    const list = segment.spans[((words[word + RowWord.Link] as number) >>> 8) - 1];
    if (list !== undefined) {
      spans.add(list);
      for (let i = 0; i < list.length; i += 3) add(list[i] as number);
    } else if (words[word + RowWord.SlabSegment] !== slabId) {
      slabId = words[word + RowWord.SlabSegment] as number;
      add(slabId);
    }
  }
  if (!others) removal.whole.add(segment);
}

/** Every span list but those. */
function spansBeside(log: FrameLog, spans: ReadonlySet<number[]>): number[][] {
  const found = new Set<number[]>();
  for (const segment of log.segments) for (const list of segment.spans) if (!spans.has(list)) found.add(list);
  return [...found];
}

/** A copy of `old` under `id` that keeps what other sessions' frames use, with every reference to it put right. */
function withoutSession(
  log: FrameLog,
  old: Segment,
  options: { readonly id: number; readonly others: OtherSessions },
): Segment | undefined {
  const { id, others } = options;
  const sessionNumber = others.number;
  let keptBytes = 0;
  visitReferences(log, old, others, (_offset, length) => (keptBytes += length));
  let keptLines = 0;
  visitRows(old, sessionNumber, (line) => (keptLines += old.linesAt(line)));
  if (keptBytes === 0 && keptLines === 0) return undefined;

  const size = Math.ceil(keptBytes / ROW_BYTES) * ROW_BYTES + keptLines * ROW_BYTES;
  const fresh = new Segment(id, new ArrayBuffer(size));
  visitReferences(log, old, others, (offset, length, moveTo) => {
    fresh.bytes.set(old.bytes.subarray(offset, offset + length), fresh.slabTop);
    moveTo(id, fresh.slabTop);
    fresh.slabTop += length;
  });
  visitRows(old, sessionNumber, (line) => {
    const lines = old.linesAt(line);
    const word = old.wordAt(line);
    const target = fresh.wordAt(fresh.lineCount);
    fresh.lineCount += lines;
    fresh.words.set(
      old.words.subarray(old.wordAt(line + lines - 1), word + ROW_WORDS),
      fresh.wordAt(fresh.lineCount - 1),
    );
    const bits = old.words[word + RowWord.Bits] as number;
    if ((bits & AGAIN_BIT) === 0) fresh.frameCount += old.framesAt(line);
    if ((bits & (AGAIN_BIT | FrameBit.Complete)) === FrameBit.Complete) {
      fresh.payloadBytes += old.floats[(word >> 1) + RowFloat.PayloadLength] as number;
    }
    if ((bits & RUN_BIT) !== 0) return;
    const link = old.words[word + RowWord.Link] as number;
    const spans = old.spans[(link >>> 8) - 1];
    if (spans === undefined) return;
    fresh.words[target + RowWord.Link] = (link & 0xff) | (fresh.spans.push(spans) << 8);
    fresh.spanBytes += spanListBytes(spans);
  });
  for (const session of old.tenants) {
    if (log.tenant(session)?.segmentMoved(old, fresh, sessionNumber) === true) fresh.tenants.push(session);
  }
  return fresh;
}

/** Calls `visit` with the lines of the rows of all sessions but one. */
function visitRows(segment: Segment, without: number, visit: (line: number) => void): void {
  for (let line = 0; line < segment.lineCount; line += segment.linesAt(line)) {
    if (segment.words[segment.wordAt(line) + RowWord.Session] !== without) visit(line);
  }
}

type VisitReference = (offset: number, length: number, moveTo: (id: number, offset: number) => void) => void;

/** Every place of the other sessions that points into `slab`. */
function visitReferences(log: FrameLog, slab: Segment, others: OtherSessions, visit: VisitReference): void {
  const places = new Map(log.segments.map((segment, place) => [segment.id, place]));
  const place = places.get(slab.id) ?? 0;
  for (let i = place; i < log.segments.length; i++) {
    const segment = log.segments[i] as Segment;
    const goesOn = visitDirect(segment, { slab, without: others.number, visit }, (id) => (places.get(id) ?? 0) > place);
    if (!goesOn) break;
  }
  for (const spans of others.spans) {
    for (let at = 0; at < spans.length; at += 3) {
      if (spans[at] !== slab.id) continue;
      visit(spans[at + 1] as number, spans[at + 2] as number, (id, offset) => {
        spans[at] = id;
        spans[at + 1] = offset;
      });
    }
  }
}

/**
 * Rows without spans point into their own segment or one before it, and never back behind the row before them.
 * @param isBehind tells of a segment's id whether it comes after the slab in the log: ids do not, where compaction was
 * @returns false once rows point behind the slab
 */
function visitDirect(
  segment: Segment,
  options: { readonly slab: Segment; readonly without: number; readonly visit: VisitReference },
  isBehind: (id: number) => boolean,
): boolean {
  const { slab, without, visit } = options;
  const { words, floats } = segment;
  for (let line = 0; line < segment.lineCount; line += segment.linesAt(line)) {
    const word = segment.wordAt(line);
    const link = words[word + RowWord.Link] as number;
    const bits = words[word + RowWord.Bits] as number;
    if (link >>> 8 !== 0 || (bits & AGAIN_BIT) !== 0) continue;
    const target = words[word + RowWord.SlabSegment] as number;
    if (target !== slab.id) {
      if (isBehind(target)) return false;
      continue;
    }
    if (words[word + RowWord.Session] === without) continue;
    const length =
      (bits & RUN_BIT) !== 0
        ? (words[word + RunWord.WireBytes] as number)
        : (link & 0xff) + (floats[(word >> 1) + RowFloat.PayloadLength] as number);
    visit(words[word + RowWord.SlabOffset] as number, length, (id, offset) => {
      words[word + RowWord.SlabSegment] = id;
      words[word + RowWord.SlabOffset] = offset;
    });
  }
  return true;
}
