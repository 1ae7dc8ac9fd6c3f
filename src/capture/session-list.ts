import type { SessionRecord } from './session-record.ts';

/** Ids of removed sessions that are remembered, so that who was away hears of them. */
const REMOVALS_KEPT = 20_000;

/**
 * The store's sessions: by number, and in the order of their last change (an intrusive list: the last one changed is
 * the tail), so that "what has changed since" costs no more than what has.
 */
export class SessionList {
  readonly byNumber = new Map<number, SessionRecord>();
  /** Those that have ended, in the order in which they did. */
  readonly ended = new Set<SessionRecord>();
  costBytes = 0;
  #tail: SessionRecord | null = null;
  readonly #removals: { readonly seq: number; readonly id: string }[] = [];

  add(session: SessionRecord): void {
    this.byNumber.set(session.number, session);
    this.costBytes += session.costBytes;
    this.#append(session);
  }

  grow(session: SessionRecord, bytes: number): void {
    session.costBytes += bytes;
    this.costBytes += bytes;
  }

  /** Moves a session to the end of the order. */
  touch(session: SessionRecord, seq: number): void {
    session.changedSeq = seq;
    if (this.#tail === session) return;
    this.#unlink(session);
    this.#append(session);
  }

  remove(session: SessionRecord, seq: number): void {
    if (!this.byNumber.delete(session.number)) return;
    session.release();
    this.ended.delete(session);
    this.costBytes -= session.costBytes;
    this.#unlink(session);
    // Whoever still knows this one must not keep all that came after it alive.
    session.previous = session.next = null;
    this.#removals.push({ seq, id: session.id });
    if (this.#removals.length > REMOVALS_KEPT * 2) this.#removals.splice(0, REMOVALS_KEPT);
  }

  *changedSince(seq: number): Generator<SessionRecord> {
    for (let session = this.#tail; session !== null && session.changedSeq > seq; session = session.previous) {
      yield session;
    }
  }

  removedSince(seq: number): string[] {
    let at = this.#removals.length;
    while (at > 0 && (this.#removals[at - 1]?.seq ?? 0) > seq) at--;
    return this.#removals.slice(at).map((removal) => removal.id);
  }

  #append(session: SessionRecord): void {
    session.previous = this.#tail;
    session.next = null;
    if (this.#tail !== null) this.#tail.next = session;
    this.#tail = session;
  }

  #unlink(session: SessionRecord): void {
    if (session.previous !== null) session.previous.next = session.next;
    if (session.next !== null) session.next.previous = session.previous;
    else if (this.#tail === session) this.#tail = session.previous;
  }
}
