import type { SessionDetail, SessionSummary } from '../contract/session.ts';
import { packEnded, unpackEnded, unpackOpening } from './packed-facts.ts';
import { NO_PLACES, type Place, placesMoved, placesWithout } from './residence.ts';
import type { Segment, SegmentTenant } from './segment.ts';
import type { StoredSession } from './session-list.ts';
import type { SessionRecord } from './session-record.ts';
import { summaryOf, type SummaryFacts } from './session-summary.ts';
import { type KeptText, NO_TEXT, type TextArena } from './text-arena.ts';

/** What an ended session costs beside its texts: this object, its places, and its entries in maps and lists. Measured. */
export const ENDED_COST_BYTES = 200;

/**
 * What is left of a session in the store when it has ended. There may be a hundred thousand of them, each of which
 * outlives every young collection: little more than numbers stays in the JavaScript heap, the facts are in two texts.
 */
export class EndedSession implements SegmentTenant {
  readonly number: number;
  changedSeq: number;
  previous: StoredSession | null = null;
  next: StoredSession | null = null;
  /** Neighbours in the order in which they ended. */
  endedBefore: EndedSession | null = null;
  endedAfter: EndedSession | null = null;
  dirty = false;
  residence: readonly Place[];
  readonly frameCount: number;
  readonly #texts: TextArena;
  #opening: KeptText;
  #facts: KeptText;

  constructor(record: SessionRecord, texts: TextArena) {
    const { facts, opening } = record.handOver();
    this.number = record.number;
    this.changedSeq = record.changedSeq;
    this.residence = record.residence;
    this.frameCount = record.frameCount;
    this.#texts = texts;
    this.#opening = opening;
    this.#facts = texts.keep(packEnded(facts));
  }

  get firstHeldFrame(): number {
    return this.residence[0]?.firstIndex ?? this.frameCount;
  }
  /** 0 where nothing is held of it that could be numbered. */
  get messagesBefore(): number {
    return this.residence[0]?.messagesBefore ?? 0;
  }

  summary(): SessionSummary {
    const { summary } = unpackEnded(this.#texts.read(this.#facts));
    return this.#summary(summary);
  }

  detail(): SessionDetail {
    const { summary, firstFrame, violations } = unpackEnded(this.#texts.read(this.#facts));
    const { timingsMs, ...opening } = unpackOpening(this.#texts.read(this.#opening));
    return { ...this.#summary(summary), ...opening, timingsMs: { ...timingsMs, firstFrame }, violations };
  }

  #summary(facts: SummaryFacts): SessionSummary {
    return summaryOf(facts, { seq: this.changedSeq, firstHeldFrame: this.firstHeldFrame });
  }

  segmentGone(segment: Segment): void {
    this.residence = placesWithout(this.residence, segment);
  }

  segmentMoved(old: Segment, fresh: Segment, without: number): boolean {
    const moved = this.number === without ? null : placesMoved(this.residence, old, fresh);
    if (moved === null) return false;
    this.residence = moved;
    return true;
  }

  /** Its rows were taken out of the log. */
  rowsGone(): void {
    this.residence = NO_PLACES;
  }

  /** The session leaves the store. */
  release(): void {
    for (const text of [this.#opening, this.#facts]) if (text !== NO_TEXT) this.#texts.release(text);
    this.#opening = this.#facts = NO_TEXT;
  }
}
