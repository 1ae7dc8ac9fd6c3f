import { randomUUID } from 'node:crypto';
import type { FrameRow } from '../contract/frame.ts';
import type { SessionDetail, SessionSummary } from '../contract/session.ts';
import type { CaptureStatus } from '../contract/status.ts';
import type { CaptureReader, FrameBytes, RowCursor } from './capture-reader.ts';
import { Compaction } from './compaction.ts';
import { EndedSession } from './ended-session.ts';
import { FrameLog } from './frame-log.ts';
import { type Guest, Guests, type Lodging } from './guests.ts';
import { Hub } from './hub.ts';
import type { RecorderHost } from './recorder.ts';
import { RowIndex } from './row-index.ts';
import { RowView } from './row-view.ts';
import type { Segment } from './segment.ts';
import { SessionList, type StoredSession } from './session-list.ts';
import { type SessionHost, SessionRecord } from './session-record.ts';
import { TextArena } from './text-arena.ts';
import type { CaptureWriter } from './session-recorder.ts';

const MAX_TEXT_BLOCK_BYTES = 1024 * 1024;
/** Parts of the budget: what finds rows takes one of so many at most. */
const INDEX_SHARE = 16;

/** The capture, in memory, within a byte budget: the oldest goes first, and what went is counted. */
export class MemoryStore implements CaptureReader, CaptureWriter, RecorderHost, SessionHost {
  readonly log: FrameLog;
  readonly clock: () => number;
  readonly payloadLimitBytes: number;
  recording = true;
  seq = 0;
  readSeq = 0;

  readonly #budgetBytes: number;
  #epoch: string = randomUUID();
  #lastSession = 0;
  readonly texts: TextArena;
  readonly #sessions: SessionList;
  /** Sessions that opened while recording was stopped: those that are still there when it goes on are listed then. */
  readonly #unlisted = new Set<SessionRecord>();
  readonly #index: RowIndex;
  readonly #view: RowView;
  readonly #compaction: Compaction;
  readonly #hub = new Hub();
  readonly #guests = new Guests(() => this.#makeRoom());
  readonly #freed: (bytes: number) => void;
  #evicted = { sessions: 0, frames: 0, bytes: 0 };
  /** Of sessions that have ended, also when they are no longer in the list, so that totals only grow. */
  #past = { frames: 0, bytes: 0 };

  /**
   * @param options.clock microseconds since the Unix epoch, never going back
   * @param options.freed told of bytes that are nobody's any more, and wait for the garbage collector
   * @param options.compactionSliceMs so long a deletion may go on in one turn of the event loop
   */
  constructor(options: {
    readonly budgetBytes: number;
    readonly payloadLimitBytes: number;
    readonly clock: () => number;
    readonly freed?: (bytes: number) => void;
    readonly compactionSliceMs?: number;
  }) {
    this.clock = options.clock;
    this.payloadLimitBytes = options.payloadLimitBytes;
    this.#budgetBytes = options.budgetBytes;
    this.#freed = options.freed ?? (() => undefined);
    this.log = new FrameLog({
      budgetBytes: options.budgetBytes,
      makeRoom: () => this.#makeRoom(),
      freed: this.#freed,
      tenant: (session) => this.#sessions.byNumber.get(session),
    });
    const blockBytes = Math.min(MAX_TEXT_BLOCK_BYTES, Math.floor(options.budgetBytes / 64));
    this.texts = new TextArena({ blockBytes, freed: this.#freed });
    this.#sessions = new SessionList({ texts: this.texts, budgetBytes: options.budgetBytes });
    this.#index = new RowIndex({ maxBytes: options.budgetBytes / INDEX_SHARE, clock: options.clock });
    this.#view = new RowView(this.log, options.payloadLimitBytes);
    this.#compaction = new Compaction({
      log: this.log,
      replaced: (segment) => this.#index.drop(segment),
      sliceMs: options.compactionSliceMs,
    });
  }

  // What the proxy writes

  openSession(start: Parameters<CaptureWriter['openSession']>[0]): SessionRecord {
    const { url, mode, client } = start;
    const session = new SessionRecord(this, { number: this.recording ? ++this.#lastSession : 0, url, mode, client });
    session.gone = !this.recording;
    if (session.gone) this.#unlisted.add(session);
    else this.#list(session);
    return session;
  }

  sessionChanged(session: SessionRecord): void {
    if (session.gone) {
      this.#makeRoom();
      return;
    }
    this.#sessions.changed(session);
    this.#hub.tell();
  }

  sessionEnded(session: SessionRecord): void {
    if (session.gone) {
      this.#unlisted.delete(session);
      return;
    }
    session.gone = true;
    this.#past.frames += session.frameCount;
    this.#past.bytes += session.bytes[0] + session.bytes[1];
    this.#sessions.end(session);
    this.#hub.tell();
    this.#makeRoom();
  }

  sessionGrew(session: SessionRecord, bytes: number): void {
    if (session.gone) session.costBytes += bytes;
    else this.#sessions.grow(session, bytes);
  }

  frameSeen(session: SessionRecord): void {
    if (session.dirty && this.#hub.pending) return;
    this.sessionChanged(session);
  }

  // What the API, the live stream and the exports read

  status(): CaptureStatus {
    this.#settle();
    let frames = this.#past.frames;
    let bytes = this.#past.bytes;
    for (const session of this.#sessions.live) {
      frames += session.frameCount;
      bytes += session.bytes[0] + session.bytes[1];
    }
    return {
      epoch: this.#epoch,
      seq: this.seq,
      recording: this.recording,
      sessions: this.#sessions.byNumber.size,
      openSessions: this.#sessions.live.size,
      frames,
      bytes,
      memory: { budgetBytes: this.#budgetBytes, usedBytes: this.usedBytes },
      evicted: { ...this.#evicted },
    };
  }

  get usedBytes(): number {
    const { log, texts } = this;
    return log.costBytes + texts.costBytes + this.#sessions.costBytes + this.#index.costBytes + this.#guests.costBytes;
  }

  sessions(page: Parameters<CaptureReader['sessions']>[0]): SessionSummary[] {
    this.#settle();
    const newest = page.order === 'newest';
    const after = page.after === undefined ? (newest ? Infinity : 0) : Number(page.after);
    // Numbers are given in order: the newest are found by counting down, past those that were deleted.
    const found: SessionSummary[] = [];
    const { byNumber } = this.#sessions;
    if (newest) {
      const oldest = byNumber.keys().next().value ?? Infinity;
      for (let number = Math.min(after - 1, this.#lastSession); number >= oldest; number--) {
        if (found.length >= page.limit) break;
        const session = byNumber.get(number);
        if (session !== undefined) found.push(session.summary());
      }
      return found;
    }
    for (const session of byNumber.values()) {
      if (found.length >= page.limit) break;
      if (session.number > after) found.push(session.summary());
    }
    return found;
  }

  has(id: string): boolean {
    return this.#find(id) !== undefined;
  }

  heldFrom(id: string): ReturnType<CaptureReader['heldFrom']> {
    const session = this.#find(id);
    return session && { frame: session.firstHeldFrame, messages: session.messagesBefore };
  }

  session(id: string): SessionDetail | undefined {
    this.#settle();
    return this.#find(id)?.detail();
  }

  sessionsSince(seq: number, limit = Infinity): ReturnType<CaptureReader['sessionsSince']> {
    this.#settle();
    const changed = [...this.#sessions.changedSince(seq)].reverse();
    return {
      changed: changed.slice(0, limit).map((session) => session.summary()),
      all: changed.length <= limit,
      ...this.#sessions.removedSince(seq),
    };
  }

  frames(id: string, from: number, limit: number): FrameRow[] | undefined {
    const session = this.#find(id);
    if (session === undefined) return undefined;
    const rows: FrameRow[] = [];
    this.#index.visit(session, from, (segment, place) => {
      if (rows.length >= limit) return false;
      rows.push(this.#view.goTo(segment, place).frameRow());
      return true;
    });
    // Whoever has one may hold it against what the log says of it later.
    for (const { seq } of rows) this.#read(seq);
    return rows;
  }

  visitFrames(id: string, from: number, limit: number, visit: (row: RowCursor) => void | false): boolean {
    const session = this.#find(id);
    if (session === undefined) return false;
    const view = new RowView(this.log, this.payloadLimitBytes);
    let left = limit;
    this.#index.visit(session, from, (segment, place) => {
      if (left-- <= 0) return false;
      return visit(view.goTo(segment, place)) !== false;
    });
    return true;
  }

  frameBytes(id: string, index: number, plane: 'payload' | 'wire'): FrameBytes | undefined {
    const session = this.#find(id);
    const found = session === undefined ? undefined : this.#index.find(session, index);
    if (found === undefined) return undefined;
    const view = this.#view.goTo(found.segment, found.place);
    const wholeLength = view.payloadLength + (plane === 'wire' ? view.headerLength : 0);
    const bytes = plane === 'wire' ? view.wireBytes(0, Infinity) : view.payloadBytes(Infinity);
    return { bytes, whole: bytes.length === wholeLength };
  }

  rowsSince(since: number, limit: number, visit: (row: RowCursor) => void | false): void {
    const { segments } = this.log;
    let at = segments.findIndex((segment) => segment.lastSeq > since);
    if (at < 0) return;
    const view = new RowView(this.log, this.payloadLimitBytes);
    let left = limit;
    for (; at < segments.length; at++) {
      const segment = segments[at] as Segment;
      if (this.#compaction.hidesAll(segment)) continue;
      let place = segment.firstAfter(since);
      while (place < segment.endPlace) {
        const last = segment.lastPlaceOfRow(place);
        const hidden = this.#compaction.hides(view.goTo(segment, place));
        for (; !hidden && place <= last; place++) {
          if (left-- <= 0) return;
          view.goTo(segment, place);
          this.#read(view.seq);
          if (visit(view) === false) return;
        }
        place = segment.nextPlace(last);
      }
    }
  }

  #read(seq: number): void {
    if (seq > this.readSeq) this.readSeq = seq;
  }

  deleteSession(id: string): boolean {
    const session = this.#find(id);
    if (session === undefined) return false;
    if (session.residence.length > 0) this.#compaction.remove(session, this.seq);
    session.rowsGone();
    if (session instanceof EndedSession) this.#remove(session);
    else this.sessionChanged(session);
    return true;
  }

  clear(): void {
    this.#compaction.stop();
    const sessionBytes = this.#sessions.costBytes;
    this.#guests.forgetAll();
    this.#index.forget();
    this.log.clear();
    for (let next = this.#sessions.oldestEnded; next !== null; next = this.#sessions.oldestEnded) this.#remove(next);
    this.texts.trim();
    this.#freed(sessionBytes - this.#sessions.costBytes);
    this.#evicted = { sessions: 0, frames: 0, bytes: 0 };
    this.#past = { frames: 0, bytes: 0 };
    this.#epoch = randomUUID();
    this.#hub.tell();
  }

  setRecording(recording: boolean): void {
    this.recording = recording;
    if (recording) {
      for (const session of this.#unlisted) {
        session.listed(++this.#lastSession);
        this.#list(session);
      }
      this.#unlisted.clear();
    }
    this.#hub.tell();
  }

  subscribe(listener: () => void): () => void {
    return this.#hub.subscribe(listener);
  }

  admit(guest: Guest): Lodging {
    return this.#guests.admit(guest);
  }

  #find(id: string): StoredSession | undefined {
    return /^[1-9]\d{0,14}$/.test(id) ? this.#sessions.byNumber.get(Number(id)) : undefined;
  }

  #list(session: SessionRecord): void {
    this.#sessions.add(session);
    this.sessionChanged(session);
    this.#makeRoom();
  }

  /** Gives every session that has changed its new place in the log. */
  #settle(): void {
    this.#sessions.settle(() => ++this.seq);
  }

  #remove(session: EndedSession): void {
    this.#sessions.remove(session, ++this.seq);
    this.#guests.forget(String(session.number));
    this.#hub.tell();
  }

  /** Its first held frame is another one now: whoever shows it is told, also where nothing more comes of it. */
  #heldLess(number: number): void {
    const session = this.#sessions.byNumber.get(number);
    if (session === undefined) return;
    this.#sessions.changed(session);
    this.#hub.tell();
  }

  /** Drops the oldest until the budget holds. What is open stays, without its old frames. */
  #makeRoom(): void {
    if (this.usedBytes <= this.#budgetBytes) return;
    this.#index.makeRoom();
    this.#guests.makeRoom();
    while (this.usedBytes > this.#budgetBytes) {
      const oldest = this.#sessions.oldestEnded;
      const segment = this.log.segments[0];
      const segmentSeq = segment === undefined || segment.lineCount === 0 ? Infinity : segment.seqAt(0);
      if (oldest !== null && (oldest.residence.length === 0 || this.log.segments.length < 2)) {
        this.#evicted.sessions++;
        this.#remove(oldest);
      } else if (this.log.segments.length > 1 || (oldest === null && segmentSeq < Infinity)) {
        const tenants = [...(segment?.tenants ?? [])];
        if (segment !== undefined) this.#compaction.evicts(segment);
        const dropped = this.log.dropOldest();
        if (dropped === undefined) return;
        for (const number of tenants) this.#heldLess(number);
        this.#index.drop(dropped);
        this.#evicted.frames += dropped.frameCount;
        this.#evicted.bytes += dropped.payloadBytes;
      } else return;
    }
  }
}
