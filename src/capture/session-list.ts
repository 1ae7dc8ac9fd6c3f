import { Roster } from '../roster.ts';
import { ENDED_COST_BYTES, EndedSession } from './ended-session.ts';
import { Removals } from './removals.ts';
import type { SessionRecord } from './session-record.ts';
import type { TextArena } from './text-arena.ts';

export type StoredSession = SessionRecord | EndedSession;

/** One removed session is remembered for so much of the budget. */
const BUDGET_BYTES_PER_REMOVAL = 1024;

/**
 * The store's sessions: by number, and in the order of their last change (an intrusive list: the last one changed is
 * the tail), so that "what has changed since" costs no more than what has.
 */
export class SessionList {
  readonly byNumber = new Map<number, StoredSession>();
  readonly live = new Roster<SessionRecord>();
  readonly #texts: TextArena;
  readonly #removals: Removals;
  #sessionBytes = 0;
  #tail: StoredSession | null = null;
  /** Those that have ended, in the order in which they did: a list of its own. */
  #firstEnded: EndedSession | null = null;
  #lastEnded: EndedSession | null = null;

  constructor(options: { readonly texts: TextArena; readonly budgetBytes: number }) {
    this.#texts = options.texts;
    this.#removals = new Removals(Math.ceil(options.budgetBytes / BUDGET_BYTES_PER_REMOVAL));
  }

  /** Memory of all that is kept here, without the packed texts. */
  get costBytes(): number {
    return this.#sessionBytes + this.#removals.costBytes;
  }

  add(session: SessionRecord): void {
    this.byNumber.set(session.number, session);
    session.place = this.live.add(session);
    this.#sessionBytes += session.costBytes;
    this.#append(session);
    session.dirty = true;
  }

  grow(session: SessionRecord, bytes: number): void {
    session.costBytes += bytes;
    this.#sessionBytes += bytes;
  }

  /** Puts what is left of a session that has ended in its place. */
  end(session: SessionRecord): EndedSession {
    const ended = new EndedSession(session, this.#texts);
    this.byNumber.set(session.number, ended);
    if (session.place !== null) this.live.delete(session.place);
    this.#sessionBytes += ENDED_COST_BYTES - session.costBytes;
    this.#unlink(session);
    this.#append(ended);
    ended.dirty = true;
    ended.endedBefore = this.#lastEnded;
    if (this.#lastEnded === null) this.#firstEnded = ended;
    else this.#lastEnded.endedAfter = ended;
    this.#lastEnded = ended;
    return ended;
  }

  /** The session that ended first. */
  get oldestEnded(): EndedSession | null {
    return this.#firstEnded;
  }

  /** It has changed: it goes to the end of the order, where `settle` gives it its number. */
  changed(session: StoredSession): void {
    if (session.dirty) return;
    session.dirty = true;
    if (this.#tail === session) return;
    this.#unlink(session);
    this.#append(session);
  }

  /** Gives every session that has changed its new number in the log. */
  settle(nextSeq: () => number): void {
    let session = this.#tail;
    if (session?.dirty !== true) return;
    while (session.previous?.dirty === true) session = session.previous;
    for (let changed: StoredSession | null = session; changed !== null; changed = changed.next) {
      changed.dirty = false;
      changed.changedSeq = nextSeq();
    }
  }

  remove(session: EndedSession, seq: number): void {
    if (!this.byNumber.delete(session.number)) return;
    session.release();
    this.#sessionBytes -= ENDED_COST_BYTES;
    this.#unlink(session);
    const { endedBefore, endedAfter } = session;
    if (endedBefore === null) this.#firstEnded = endedAfter;
    else endedBefore.endedAfter = endedAfter;
    if (endedAfter === null) this.#lastEnded = endedBefore;
    else endedAfter.endedBefore = endedBefore;
    session.endedBefore = session.endedAfter = null;
    this.#removals.add(seq, session.number);
  }

  *changedSince(seq: number): Generator<StoredSession> {
    for (let session = this.#tail; session !== null && session.changedSeq > seq; session = session.previous) {
      yield session;
    }
  }

  removedSince(seq: number): { readonly removed: string[]; readonly kept: string[] | null } {
    const kept = this.#removals.knows(seq) ? null : [...this.byNumber.keys()].map(String);
    return { removed: this.#removals.since(seq), kept };
  }

  #append(session: StoredSession): void {
    session.previous = this.#tail;
    session.next = null;
    if (this.#tail !== null) this.#tail.next = session;
    this.#tail = session;
  }

  #unlink(session: StoredSession): void {
    if (session.previous !== null) session.previous.next = session.next;
    if (session.next !== null) session.next.previous = session.previous;
    else if (this.#tail === session) this.#tail = session.previous;
    // Whoever still knows this one must not keep all that came after it alive.
    session.previous = session.next = null;
  }
}
