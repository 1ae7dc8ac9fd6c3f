import type { FrameRow } from '../../../src/contract/frame.ts';
import type { LiveBatch, LiveMessage } from '../../../src/contract/live.ts';
import type { SessionSummary } from '../../../src/contract/session.ts';
import type { CaptureStatus } from '../../../src/contract/status.ts';
import type { FrameRange } from '../place.ts';
import type { LiveSocket, LiveState } from './live-connection.ts';
import { ApiError, fetchFrameIndexes, fetchFrames, fetchStatus, listOf, MAX_INDEXES } from './api.ts';
import { LiveConnection } from './live-connection.ts';
import { MatchList } from './match-list.ts';
import { Pulse } from './pulse.ts';
import { RangeLoader } from './range-loader.ts';
import { RowStore } from './row-store.ts';
import { ServerClock } from './server-clock.ts';
import { SessionBook } from './session-book.ts';

/** What could not be read is asked for again after so long. */
const AGAIN_MS = 2000;
/** Frames that are known of are listed before their rows have come where these take longer. */
const LATE_MS = 300;

const isRefused = (): Promise<boolean> =>
  fetchStatus().then(
    () => false,
    (error: unknown) => error instanceof ApiError && error.status === 401,
  );

/**
 * What the page knows of the capture. Lives outside React: views subscribe to a pulse and read what they show.
 * While the view is paused, sessions wait in `#held` and the number of frames stands still; the capture goes on.
 */
export class Capture {
  readonly sessionsPulse = new Pulse();
  readonly framesPulse = new Pulse();
  readonly statusPulse = new Pulse();
  readonly book = new SessionBook();
  rows = new RowStore();
  matches: MatchList<FrameRow> | null = null;
  /** The stretch of the selected session that is listed; null: all of it. */
  range: FrameRange | null = null;
  status: CaptureStatus | null = null;
  liveState: LiveState = 'connecting';
  /** The last thing that went wrong with reading frames, as text. */
  readError: string | null = null;
  epoch: string | null = null;

  readonly #onRestart: () => void;
  readonly #connection: LiveConnection;
  readonly #loader: RangeLoader;
  #selected: string | null = null;
  #pausedAt: { readonly frameCount: number } | null = null;
  #held = new Map<string, SessionSummary | null>();
  #clock = new ServerClock();
  /** So many frames of the selected session are listed, whether their rows have come or not. */
  #dueFrames = 0;
  #dueTimer: ReturnType<typeof setTimeout> | undefined;
  #advanceTimer: ReturnType<typeof setTimeout> | undefined;
  #againTimer: ReturnType<typeof setTimeout> | undefined;

  /** `onRestart`: another run of the server has answered; what was selected means nothing any more. */
  constructor(openSocket: () => LiveSocket, onRestart: () => void) {
    this.#onRestart = onRestart;
    this.#connection = new LiveConnection(openSocket, {
      onEpoch: (epoch, { restarted }) => this.#startAfresh(epoch, restarted),
      onMessage: (message) => this.#takeMessage(message),
      onBatch: (batch) => this.#takeBatch(batch),
      onState: (state) => {
        this.liveState = state;
        this.statusPulse.beat();
      },
      isRefused,
    });
    this.#loader = new RangeLoader({
      missing: (from, to) => this.rows.wantedIn(from, to, this.#indexAt),
      fetch: (from, limit, signal) => this.#fetchRange(from, limit, signal),
      onError: (error) => this.#failed(error),
    });
  }

  start(): void {
    this.#connection.start();
  }

  stop(): void {
    this.#connection.stop();
    this.#loader.stop();
    this.matches?.stop();
    clearTimeout(this.#advanceTimer);
    clearTimeout(this.#againTimer);
    clearTimeout(this.#dueTimer);
  }

  get selected(): string | null {
    return this.#selected;
  }

  get paused(): boolean {
    return this.#pausedAt !== null;
  }

  /** Until when, in the server's time, what the book says holds: not beyond a pause or a cut. Null: not known. */
  get knownUntilUs(): number | null {
    return this.paused || this.liveState !== 'live' ? this.#clock.heardUs : this.#clock.nowUs;
  }

  /** Number of frames of the selected session that the view shows: the next frame's index. */
  get frameCount(): number {
    return this.#pausedAt?.frameCount ?? this.#listedFrames;
  }

  /** Frames have been evicted, of whatever session: what is not held any more went so. */
  get evicts(): boolean {
    return (this.status?.evicted.frames ?? 0) > 0;
  }

  /** Index of the oldest frame that can still be shown. */
  get firstHeldFrame(): number {
    return Math.min(this.#newest()?.firstHeldFrame ?? 0, this.frameCount);
  }

  select(id: string | null): void {
    if (id === this.#selected) return;
    this.#selected = id;
    this.rows = new RowStore();
    this.#dropMatches();
    this.#loader.stop();
    this.readError = null;
    this.#listAll();
    if (this.#pausedAt !== null) this.#pausedAt = { frameCount: this.#listedFrames };
    this.#connection.follow(id === null ? [] : [id]);
    this.framesPulse.beat();
  }

  /**
   * Lists only the frames of the selected session that pass `filter` and lie in `range`; null or '' lists all.
   * @param onError called with what went wrong, and with null when it is well again
   */
  filterFrames(filter: string | null, range: FrameRange | null, onError: (error: unknown) => void): void {
    this.#dropMatches();
    this.#loader.stop();
    this.range = range;
    const id = this.#selected;
    if (id !== null && filter !== null && filter !== '') {
      const rows = this.rows;
      this.matches = new MatchList({
        source: {
          rows: async (from, limit, signal, to) => {
            const page = await fetchFrames(id, { from, to, limit, filter }, signal);
            return { ...page, rows: page.frames, end: page.frameCount };
          },
          indexes: (from, signal) => fetchFrameIndexes(id, { from, filter }, signal),
        },
        onRows: (found) => {
          onError(null);
          rows.applyMatches(found);
          this.#advance();
          this.framesPulse.beat();
        },
        onError: (error) => {
          onError(error);
          this.#advanceSoon();
        },
        from: range?.from ?? 0,
      });
      this.#advance();
    }
    this.framesPulse.beat();
  }

  /** These positions of the list are visible: what is missing of them is fetched. */
  lookAt(first: number, last: number): void {
    if (this.#selected === null) return;
    if (this.matches === null) {
      this.rows.lookAt(first, last);
      const floor = this.firstHeldFrame;
      // At the end, where more come in: those that are listed next are fetched beforehand.
      const gathers = !this.paused && last >= this.frameCount;
      const end = gathers ? Math.max(this.rows.end, this.frameCount) : this.frameCount;
      const ahead = gathers ? end - last : 0;
      this.#loader.want(first + ahead, last + ahead, { floor, end, gathers });
      return;
    }
    const { matches } = this;
    const from = matches.indexAt(first) ?? 0;
    this.rows.lookAt(from, matches.indexAt(Math.min(last, matches.length) - 1) ?? from);
    this.#loader.want(first, last, { floor: matches.positionOf(this.firstHeldFrame), end: matches.length });
  }

  readonly #indexAt = (position: number): number | undefined =>
    this.matches === null ? position : this.matches.indexAt(position);

  /** Sessions that were asked for, before the stream has brought them. */
  learn(sessions: readonly SessionSummary[]): void {
    this.book.apply(sessions, Date.now());
    this.#listLater();
    this.sessionsPulse.beat();
  }

  pause(paused: boolean): void {
    if (paused === this.paused) return;
    if (paused) this.#listAll();
    this.#pausedAt = paused ? { frameCount: this.#listedFrames } : null;
    if (!paused) {
      const held = this.#held;
      this.#held = new Map();
      this.#note([...held.values()].filter((session) => session !== null));
      this.book.remove([...held].filter(([, session]) => session === null).map(([id]) => id));
      this.#listAll();
      this.#advance();
    }
    this.sessionsPulse.beat();
    this.framesPulse.beat();
    this.statusPulse.beat();
  }

  get #trueFrameCount(): number {
    return this.#selected === null ? 0 : Math.max(this.#newest()?.frameCount ?? 0, this.rows.end);
  }

  get #listedFrames(): number {
    return Math.max(this.#dueFrames, this.rows.readyEnd);
  }

  #listAll(): void {
    clearTimeout(this.#dueTimer);
    this.#dueTimer = undefined;
    this.#dueFrames = this.#trueFrameCount;
  }

  /** The rows of what is known of are on their way, or the text of such: they are listed when it comes, or is late. */
  #listLater(): void {
    const count = this.#trueFrameCount;
    if (this.#dueTimer !== undefined || count <= this.#listedFrames) return;
    if (this.#listedFrames === 0) {
      this.#dueFrames = count;
      return;
    }
    this.#dueTimer = setTimeout(() => {
      this.#dueTimer = undefined;
      this.#dueFrames = count;
      this.#listLater();
      this.#advanceSoon();
      if (!this.paused) this.framesPulse.beat();
    }, LATE_MS);
  }

  /** What is known of the selected session, also during a pause. */
  #newest(): SessionSummary | undefined {
    return this.#selected === null ? undefined : (this.#held.get(this.#selected) ?? this.book.get(this.#selected));
  }

  #takeMessage(message: LiveMessage): void {
    switch (message.type) {
      case 'hello':
      case 'status':
        this.#takeStatus(message.status);
        break;
      case 'sessions':
        this.#takeSessions(message.sessions);
        break;
      case 'removed':
        this.#takeRemoved(this.#removedBy(message));
        this.sessionsPulse.beat();
        this.framesPulse.beat();
        break;
      case 'gap':
        this.rows.forgetIncomplete();
        this.framesPulse.beat();
        break;
      case 'error':
        this.readError = message.error.message;
        this.statusPulse.beat();
        break;
    }
  }

  #takeStatus(status: CaptureStatus): void {
    const { evicts } = this;
    this.status = status;
    this.statusPulse.beat();
    // The lists say so in their own words.
    if (this.evicts !== evicts) this.framesPulse.beat();
  }

  #takeSessions(sessions: readonly SessionSummary[]): void {
    if (this.#pausedAt !== null) {
      const first = this.firstHeldFrame;
      for (const session of sessions) this.#held.set(session.id, session);
      this.statusPulse.beat();
      // What was evicted is no longer there to be shown, pause or not.
      if (this.firstHeldFrame !== first) this.framesPulse.beat();
      return;
    }
    this.#note(sessions);
    this.sessionsPulse.beat();
    if (sessions.some((session) => session.id === this.#selected)) {
      this.#listLater();
      this.#advanceSoon();
      this.framesPulse.beat();
    }
  }

  #removedBy({ ids, kept }: Extract<LiveMessage, { type: 'removed' }>): readonly string[] {
    if (kept === undefined) return ids;
    const left = new Set(kept);
    return [...this.book.ids, ...this.#held.keys()].filter((id) => !left.has(id));
  }

  #takeRemoved(ids: readonly string[]): void {
    if (this.#pausedAt !== null) for (const id of ids) this.#held.set(id, null);
    else this.book.remove(ids);
  }

  #note(sessions: readonly SessionSummary[]): void {
    this.#clock.hear(sessions);
    this.book.apply(sessions, Date.now());
  }

  #takeBatch(batch: LiveBatch): void {
    if (this.#selected === null || this.rows.applyBatch(batch, Number(this.#selected)) === 0) return;
    if (this.#pausedAt !== null) return;
    this.#listLater();
    this.#advanceSoon();
    this.framesPulse.beat();
  }

  #startAfresh(epoch: string, restarted: boolean): void {
    this.epoch = epoch;
    this.book.clear();
    this.#held.clear();
    this.#clock = new ServerClock();
    this.rows = new RowStore();
    this.#dropMatches();
    this.readError = null;
    clearTimeout(this.#dueTimer);
    this.#dueTimer = undefined;
    this.#dueFrames = 0;
    if (this.#pausedAt !== null) this.#pausedAt = { frameCount: 0 };
    if (restarted) {
      this.#selected = null;
      this.#onRestart();
    }
    this.sessionsPulse.beat();
    this.framesPulse.beat();
    this.statusPulse.beat();
  }

  /** Fetches the rows at positions of the list. */
  async #fetchRange(position: number, limit: number, signal: AbortSignal): Promise<void> {
    const { rows, matches } = this;
    const id = this.#selected;
    if (id === null) return;
    if (matches === null) {
      const page = await fetchFrames(id, { from: position, limit }, signal);
      if (rows !== this.rows || this.matches !== null) return;
      const { frames, firstHeldFrame, frameCount, next } = page;
      rows.applyRows(frames);
      rows.noteUnrecorded(Math.max(position, firstHeldFrame), Math.min(position + limit, next ?? frameCount));
    } else {
      // Not by the filter: what has passed may be looked into no more, and still is a frame.
      const indexes: number[] = [];
      for (let at = position; at < position + limit; at += 1) {
        const index = matches.indexAt(at);
        if (index !== undefined && rows.isWanted(index)) indexes.push(index);
      }
      if (indexes.length === 0) return;
      const { frames } = await fetchFrames(id, { indexes: listOf(indexes), limit: MAX_INDEXES }, signal);
      if (rows !== this.rows || matches !== this.matches) return;
      rows.applyMatches(frames);
    }
    this.readError = null;
    this.framesPulse.beat();
  }

  /** New frames are put to the filter a few times a second, not at each batch. */
  #advanceSoon(): void {
    if (this.matches === null) return;
    this.#advanceTimer ??= setTimeout(() => {
      this.#advanceTimer = undefined;
      this.#advance();
    }, 300);
  }

  #advance(): void {
    this.matches?.advance(Math.min(this.frameCount, this.range?.to ?? this.frameCount), this.firstHeldFrame);
    if (this.matches?.waits === true && !this.paused) this.#advanceSoon();
  }

  #dropMatches(): void {
    this.matches?.stop();
    this.matches = null;
  }

  #failed(error: unknown): void {
    this.readError = error instanceof ApiError ? error.message : 'The server cannot be reached.';
    this.statusPulse.beat();
    // Who still looks asks again.
    this.#againTimer ??= setTimeout(() => {
      this.#againTimer = undefined;
      this.framesPulse.beat();
    }, AGAIN_MS);
  }
}
