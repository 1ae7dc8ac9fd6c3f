import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CaptureReader } from '../capture/capture-reader.ts';
import type { LiveMessage } from '../contract/live.ts';
import type { SessionSummary } from '../contract/session.ts';
import type { CaptureStatus } from '../contract/status.ts';
import { encodeBatch, type Batch, type RowChoice } from './live-batch.ts';
import type { Subscriber } from './live-subscriber.ts';

/** A tick gives way to the proxy after so long, and goes on in the next turn. */
const SLICE_MS = 5;
/** A message of sessions ends at about so much JSON, a few milliseconds' work on either side; one tick sends so many. */
const SESSIONS_MESSAGE_BYTES = 128 * 1024;
const SESSIONS_MESSAGES = 16;
/** So many are looked up at once: about what one tick sends. */
const SESSIONS_AT_ONCE = 2_500;
/** Who lags by more than this is told of a gap, and goes on this far before the end. */
const LAG_ROWS = 200_000;
const LAG_ROWS_KEPT = 100_000;

interface Changes {
  /** Ascending by `seq`. */
  readonly sessions: readonly SessionSummary[];
  /** False: more have changed, after these. */
  readonly all: boolean;
  readonly removed: readonly string[];
  readonly kept: readonly string[] | null;
  /** The log's last number when this was looked up. */
  readonly upTo: number;
}

/** One round over all dashboards. What one of them was sent is kept for the next that stands at the same place. */
export class Tick {
  head: CaptureStatus;
  /** Somebody could be sent more at once. */
  behind = false;
  /** Somebody has not been sent all sessions that there were when it came. */
  catchingUp = false;
  /** Time spent working, pauses left out. */
  workMs = 0;
  readonly #reader: CaptureReader;
  readonly #now: () => number;
  #sliceStartMs: number;
  readonly #changes = new Map<number, Changes>();
  readonly #sessionMessages = new Map<string, { readonly text: Uint8Array; readonly end: number }>();
  readonly #batches = new Map<string, Batch>();

  constructor(reader: CaptureReader, now: () => number) {
    this.#reader = reader;
    this.#now = now;
    this.#sliceStartMs = now();
    this.head = reader.status();
  }

  /** Gives way where it is time to. False: a new epoch has begun meanwhile, and this tick is void. */
  async pause(): Promise<boolean> {
    const sliceMs = this.#now() - this.#sliceStartMs;
    if (sliceMs < SLICE_MS) return true;
    this.workMs += sliceMs;
    await nextTurn();
    this.#sliceStartMs = this.#now();
    const { epoch } = this.head;
    this.head = this.#reader.status();
    return this.head.epoch === epoch;
  }

  end(): void {
    this.workMs += this.#now() - this.#sliceStartMs;
  }

  changesSince(seq: number): Changes {
    let changes = this.#changes.get(seq);
    if (changes === undefined) {
      const { changed, ...rest } = this.#reader.sessionsSince(seq, SESSIONS_AT_ONCE);
      changes = { ...rest, sessions: changed.sort((a, b) => a.seq - b.seq), upTo: this.#reader.status().seq };
      this.#changes.set(seq, changes);
    }
    return changes;
  }

  /** The message that carries `changes.sessions` from position `start` on; `end` is where the next one starts. */
  sessionsMessage(changes: Changes, start: number, seq: number): { readonly text: Uint8Array; readonly end: number } {
    const key = `${changes.upTo} ${changes.sessions.length} ${start} ${seq}`;
    let message = this.#sessionMessages.get(key);
    if (message === undefined) {
      const parts: string[] = [];
      let length = 0;
      let end = start;
      for (; end < changes.sessions.length && length < SESSIONS_MESSAGE_BYTES; end++) {
        const part = JSON.stringify(changes.sessions[end]);
        parts.push(part);
        length += part.length;
      }
      message = { text: Buffer.from(`{"type":"sessions","seq":${seq},"sessions":[${parts.join()}]}`), end };
      this.#sessionMessages.set(key, message);
    }
    return message;
  }

  batch(since: number, upTo: number, choice: RowChoice, choiceKey: string): Batch {
    const key = `${since} ${upTo} ${choiceKey}`;
    let batch = this.#batches.get(key);
    if (batch === undefined) {
      batch = encodeBatch(this.#reader, { since, upTo, choice });
      this.#batches.set(key, batch);
    }
    return batch;
  }

  /** The sequence number of the oldest frame row that is held, or undefined where none is. */
  oldestHeld(): number | undefined {
    let oldest: number | undefined;
    this.#reader.rowsSince(0, 1, (row) => {
      oldest = row.seq;
      return false;
    });
    return oldest;
  }
}

/**
 * Sends one dashboard what it lacks, as far as one tick goes. Sessions go before frames: a row is sent only when all
 * that changed in the sessions before it has been, so that one number says where a dashboard stands.
 * False: the tick is void (see `Tick.pause`).
 */
export async function advance(subscriber: Subscriber, tick: Tick): Promise<boolean> {
  subscriber.waiting = subscriber.blocked;
  if (subscriber.waiting) return true;
  if (greet(subscriber, tick.head)) {
    // What a dashboard asks for when it has been answered comes before thousands of sessions that nobody looks at yet.
    tick.behind = true;
    return true;
  }
  if (subscriber.epoch === null) return true;

  const changes = tick.changesSince(subscriber.sessionsPosition);
  sendRemoved(subscriber, tick, changes);

  let batchSent = false;
  let at = 0;
  for (let messages = 1; at < changes.sessions.length && messages <= SESSIONS_MESSAGES; messages++) {
    const { text, end } = tick.sessionsMessage(changes, at, subscriber.resumeFrom);
    subscriber.sendText(text);
    at = end;
    subscriber.sessionsPosition = changes.sessions[at - 1]?.seq ?? subscriber.sessionsPosition;
    if (at === changes.sessions.length && changes.all) break;
    // Many sessions that change all the time must not keep the frames from coming.
    if (messages === 1) {
      sendFrames(subscriber, tick);
      batchSent = true;
    }
    if (!(await tick.pause())) return false;
    if (subscriber.pendingHello !== null || subscriber.blocked) break;
  }
  if (at < changes.sessions.length || !changes.all) {
    tick.catchingUp ||= subscriber.sessionsPosition < subscriber.catchesUpTo;
    subscriber.waiting = subscriber.blocked;
    tick.behind ||= !subscriber.waiting;
    return true;
  }
  subscriber.sessionsPosition = Math.max(changes.upTo, subscriber.sessionsPosition);
  if (batchSent) tick.behind = true;
  else sendFrames(subscriber, tick);
  return true;
}

export const statusMessage = (status: CaptureStatus): string =>
  JSON.stringify({ type: 'status', status } satisfies LiveMessage);

/** Answers a hello, and says it unasked when a new epoch has begun. @returns whether it did */
function greet(subscriber: Subscriber, head: CaptureStatus): boolean {
  const hello = subscriber.pendingHello;
  if (hello === null && (subscriber.epoch === null || subscriber.epoch === head.epoch)) return false;
  const since = hello?.epoch === head.epoch ? Math.min(hello.since, head.seq) : 0;
  subscriber.pendingHello = null;
  subscriber.epoch = head.epoch;
  subscriber.position = subscriber.sessionsPosition = subscriber.removedPosition = since;
  subscriber.catchesUpTo = head.seq;
  subscriber.evictedSeen = 0;
  if (hello !== null) subscriber.choose(hello.frames ?? 'all');
  subscriber.sendJson({ type: 'hello', epoch: head.epoch, seq: since, status: head });
  subscriber.status = statusMessage(head);
  return true;
}

function sendRemoved(subscriber: Subscriber, tick: Tick, changes: Changes): void {
  const aheadOf = subscriber.removedPosition;
  const { removed, kept } = aheadOf > subscriber.sessionsPosition ? tick.changesSince(aheadOf) : changes;
  // Who starts from nothing knows of none that could have gone.
  if (removed.length > 0 && aheadOf > 0) {
    subscriber.sendJson({ type: 'removed', seq: subscriber.resumeFrom, ids: removed, ...(kept !== null && { kept }) });
  }
  subscriber.removedPosition = Math.max(aheadOf, changes.upTo);
}

/** Sends one batch, and before it tells of the rows that will not come. */
function sendFrames(subscriber: Subscriber, tick: Tick): void {
  const upTo = subscriber.sessionsPosition;
  if (subscriber.choice === 'none') {
    subscriber.position = upTo;
    return;
  }
  const { head } = tick;
  let skipTo = 0;
  if (head.seq - subscriber.position > LAG_ROWS) skipTo = head.seq - LAG_ROWS_KEPT;
  if (head.evicted.frames > subscriber.evictedSeen) {
    // Rows go oldest first: as long as one is held that was sent, none is missing after it.
    skipTo = Math.max(skipTo, (tick.oldestHeld() ?? head.seq + 1) - 1);
    subscriber.evictedSeen = head.evicted.frames;
  }
  const to = Math.min(skipTo, upTo);
  if (to > subscriber.position) {
    subscriber.sendJson({ type: 'gap', from: subscriber.position + 1, to });
    subscriber.position = to;
  }
  // Cut short by sessions that have not been sent yet: looked at again when they have.
  if (to < skipTo) subscriber.evictedSeen = 0;
  if (upTo <= subscriber.position) return;
  const batch = tick.batch(subscriber.position, upTo, subscriber.choice, subscriber.choiceKey);
  subscriber.position = batch.position;
  if (batch.bytes !== null) subscriber.sendBatch(batch.bytes);
  if (batch.position < upTo) tick.behind = true;
}
