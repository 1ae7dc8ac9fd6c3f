import { FrameBit } from '../contract/frame-bits.ts';
import type { FrameLog } from './frame-log.ts';
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

/**
 * Takes one session's rows and bytes out of the log, so that their memory is really free: every segment that holds
 * some is copied without them into a buffer of the size that is left.
 */
export function removeSession(log: FrameLog, sessionNumber: number): void {
  const affected = segmentsOf(log, sessionNumber);
  if (affected.has(log.current)) log.seal();
  const others: OtherSessions = { number: sessionNumber, spans: spansOfOthers(log, sessionNumber) };
  for (const segment of affected) log.replace(segment, (id) => withoutSession(log, segment, { id, others }));
}

/** All but the session that is taken out. */
interface OtherSessions {
  /** Of the session that is taken out. */
  readonly number: number;
  /** Every span list of the others, once. */
  readonly spans: readonly number[][];
}

function spansOfOthers(log: FrameLog, sessionNumber: number): number[][] {
  const found = new Set<number[]>();
  for (const segment of log.segments) {
    if (segment.spans.length === 0) continue;
    visitRows(segment, sessionNumber, (line) => {
      const spans = segment.spans[((segment.words[segment.wordAt(line) + RowWord.Link] as number) >>> 8) - 1];
      if (spans !== undefined) found.add(spans);
    });
  }
  return [...found];
}

/** Segments with rows or bytes of the session. */
function segmentsOf(log: FrameLog, sessionNumber: number): Set<Segment> {
  const found = new Set<Segment>();
  const add = (id: number): void => {
    const segment = log.segment(id);
    if (segment !== undefined) found.add(segment);
  };
  for (const segment of log.segments) {
    for (let line = 0; line < segment.lineCount; line += segment.linesAt(line)) {
      const word = segment.wordAt(line);
      if (segment.words[word + RowWord.Session] !== sessionNumber) continue;
      found.add(segment);
      const list = (segment.words[word + RowWord.Link] as number) >>> 8;
      if (list === 0) add(segment.words[word + RowWord.SlabSegment] as number);
      const spans = segment.spans[list - 1] ?? [];
      for (let i = 0; i < spans.length; i += 3) add(spans[i] as number);
    }
  }
  return found;
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
