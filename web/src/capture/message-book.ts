import type { IndexPage, MessagePage } from '../../../src/contract/api.ts';
import type { MessageRow } from '../../../src/contract/message.ts';
import type { FrameRange } from '../place.ts';
import { listOf, MAX_INDEXES } from './api.ts';
import { MatchList } from './match-list.ts';

/** A page of messages, as the API's query has it. */
export interface MessageQuery {
  readonly from?: number;
  readonly to?: number | undefined;
  readonly limit: number;
  readonly filter?: string;
  readonly indexes?: string;
  readonly fromFrame?: number;
  readonly toFrame?: number;
}
interface MessageChosen {
  readonly filter: string;
  readonly fromFrame?: number;
  readonly toFrame?: number;
}
export type FetchMessages = (query: MessageQuery, signal?: AbortSignal) => Promise<MessagePage>;

export type FetchMessageIndexes = (
  query: MessageChosen & { readonly from: number },
  signal?: AbortSignal,
) => Promise<IndexPage>;

export const PAGE_MESSAGES = 200;
const MAX_ROWS = 8000;
/** Rows asked for beyond the visible ones, on either side, where they are asked for one by one. */
const MARGIN_ROWS = 60;

/** Which messages are listed: those that pass a filter, and start in a stretch of frames. */
export interface MessageChoice {
  readonly filter: string;
  readonly frames: FrameRange | null;
}

/** The messages of one session that the page holds; those looked at least recently are let go. */
export class MessageBook {
  /** The messages that were chosen; null: all are listed. */
  matches: MatchList<MessageRow> | null = null;
  readonly #fetch: FetchMessages;
  readonly #fetchIndexes: FetchMessageIndexes;
  readonly #onChange: () => void;
  readonly #onError: (error: unknown) => void;
  /** Looked at most recently goes last. */
  readonly #rows = new Map<number, MessageRow>();
  readonly #asked = new Set<string>();
  /** What an answer that should have had it did not bring: not asked for again until there is news. */
  readonly #absent = new Set<number>();
  #first = 0;
  #end = 0;
  #heldFrames: number | null = null;
  #heldEnd = Infinity;
  #growing: readonly number[] = [];
  #pinned = -1;
  #busy = false;
  #frameCount = -1;
  #firstHeldFrame = 0;

  constructor(options: {
    readonly fetch: FetchMessages;
    readonly fetchIndexes: FetchMessageIndexes;
    readonly onChange: () => void;
    readonly onError: (error: unknown) => void;
  }) {
    this.#fetch = options.fetch;
    this.#fetchIndexes = options.fetchIndexes;
    this.#onChange = options.onChange;
    this.#onError = options.onError;
  }

  /** Index of the first message that can still be told apart, and one past the last. */
  get first(): number {
    return this.#first;
  }
  get end(): number {
    return Math.min(this.#end, this.#heldEnd);
  }

  /** While the view is paused, nothing is listed that starts with frame `frames` or later. Null: it goes on. */
  hold(frames: number | null): void {
    if (frames === this.#heldFrames) return;
    this.#heldFrames = frames;
    this.#heldEnd = frames === null ? Infinity : this.#end;
    this.#onChange();
    if (frames === null) return;
    this.#ask({ from: 0, limit: 1, fromFrame: frames })
      .then((page) => {
        if (this.#heldFrames !== frames) return;
        this.#heldEnd = page.messages[0]?.index ?? page.messageCount;
        this.#advance();
        this.#onChange();
      })
      .catch(this.#onError);
  }

  at(index: number): MessageRow | undefined {
    return this.#rows.get(index);
  }

  /** This message is being read: it stays, wherever one scrolls. */
  pin(index: number | null): void {
    this.#pinned = index ?? -1;
  }

  /**
   * Lists only the messages that were chosen; null lists all.
   * @param onError called with what went wrong, and with null when it is well again
   */
  choose(choice: MessageChoice | null, onError: (error: unknown) => void): void {
    this.matches?.stop();
    this.matches = null;
    this.#absent.clear();
    if (choice !== null) {
      const { filter, frames } = choice;
      const chosen: MessageChosen = {
        filter,
        ...(frames === null ? {} : { fromFrame: frames.from, toFrame: frames.to }),
      };
      this.matches = new MatchList<MessageRow>({
        source: {
          rows: async (from, limit, signal, to) => {
            const page = await this.#fetch({ ...chosen, from, to, limit }, signal);
            return { ...page, rows: page.messages, end: page.messageCount };
          },
          indexes: (from, signal) => this.#fetchIndexes({ ...chosen, from }, signal),
        },
        onRows: (rows) => {
          onError(null);
          this.#keep(rows);
          this.#advance();
          this.#onChange();
        },
        onError,
      });
      this.#advance();
    }
    this.#onChange();
  }

  /** Called every now and then: where frames have come, or have been evicted, there may be more messages, or fewer. */
  grow(frameCount: number, firstHeldFrame = 0): void {
    this.#advance();
    const same = frameCount === this.#frameCount && firstHeldFrame === this.#firstHeldFrame;
    if (this.#busy || (same && this.#growing.length === 0)) return;
    this.#busy = true;
    this.#askForEnd()
      .then(() => {
        // Not before it is known: what has failed is asked again.
        this.#frameCount = frameCount;
        this.#absent.clear();
        this.#firstHeldFrame = firstHeldFrame;
        this.#advance();
        this.#onChange();
      })
      .catch(this.#onError)
      .finally(() => {
        this.#busy = false;
      });
  }

  /** This message is looked at, whether it is listed or not. */
  want(index: number): void {
    if (!this.#touch(index)) this.#load({ from: pageStart(index), limit: PAGE_MESSAGES }, [index]);
  }

  /** These positions of the list are visible: what is missing of them is fetched. */
  lookAt(first: number, last: number): void {
    const { matches } = this;
    if (matches === null) {
      const end = Math.min(last + this.#first, this.end);
      for (let index = first + this.#first; index < end; index += 1) {
        if (!this.#absent.has(index) && !this.#touch(index))
          this.#load({ from: pageStart(index), limit: PAGE_MESSAGES }, [index]);
      }
      return;
    }
    // The list begins with the first that is still held.
    const gone = matches.positionOf(this.#first);
    const missing = (from: number, to: number): number[] => {
      const indexes: number[] = [];
      for (let position = Math.max(gone, from); position < Math.min(to, matches.length); position += 1) {
        const index = matches.indexAt(position);
        if (index !== undefined && !this.#absent.has(index) && !this.#touch(index)) indexes.push(index);
      }
      return indexes;
    };
    // Not by the filter: what has passed may be looked into no more, and still is a message.
    if (missing(first + gone, last + gone).length > 0 && this.#asked.size === 0) {
      const indexes = missing(first + gone - MARGIN_ROWS, last + gone + MARGIN_ROWS);
      this.#load({ indexes: listOf(indexes), limit: MAX_INDEXES }, indexes);
    }
  }

  #touch(index: number): boolean {
    const row = this.#rows.get(index);
    if (row === undefined) return false;
    this.#rows.delete(index);
    this.#rows.set(index, row);
    return true;
  }

  #keep(rows: readonly MessageRow[]): void {
    for (const row of rows) {
      this.#rows.delete(row.index);
      this.#rows.set(row.index, row);
    }
    for (const index of this.#rows.keys()) {
      if (this.#rows.size <= MAX_ROWS) break;
      if (index !== this.#pinned) this.#rows.delete(index);
    }
  }

  #load(query: MessageQuery, wanted: readonly number[]): void {
    const key = JSON.stringify(query);
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    this.#ask(query)
      .finally(() => this.#asked.delete(key))
      .then(({ next }) => {
        for (const index of wanted) if (!this.#rows.has(index) && index < (next ?? Infinity)) this.#absent.add(index);
        this.#onChange();
      })
      .catch(this.#onError);
  }

  async #ask(query: MessageQuery): Promise<MessagePage> {
    const page = await this.#fetch(query);
    this.#keep(page.messages);
    this.#first = page.firstHeldMessage;
    this.#end = Math.max(this.#end, page.messageCount);
    return page;
  }

  async #askForEnd(): Promise<void> {
    const grown = this.#growing;
    let from = pageStart(this.#end - 1);
    let page = await this.#ask({ from, limit: PAGE_MESSAGES });
    const last = pageStart(page.messageCount - 1);
    if (last > from) {
      from = last;
      page = await this.#ask({ from, limit: PAGE_MESSAGES });
    }
    this.#growing = page.growing;
    // What was still coming in before has changed since, wherever it stands.
    for (const index of grown) if (index < from) await this.#ask({ from: index, to: index + 1, limit: 1 });
  }

  #advance(): void {
    this.matches?.advance(this.end, this.#first);
  }
}

const pageStart = (index: number): number => Math.floor(Math.max(0, index) / PAGE_MESSAGES) * PAGE_MESSAGES;
