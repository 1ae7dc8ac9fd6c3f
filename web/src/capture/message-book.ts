import type { MessagePage } from '../../../src/contract/api.ts';
import type { MessageRow } from '../../../src/contract/message.ts';

export type FetchMessages = (from: number, limit: number, signal: AbortSignal) => Promise<MessagePage>;

export const PAGE_MESSAGES = 200;
const MAX_PAGES = 40;

/**
 * The messages of one session that the page holds: pages by index, the oldest looked-at ones let go. The API does not
 * say how many there are, so the end is looked for by halves, once; after that it is only moved on.
 */
export class MessageBook {
  readonly #fetch: FetchMessages;
  readonly #onChange: () => void;
  readonly #onError: (error: unknown) => void;
  readonly #abort = new AbortController();
  readonly #pages = new Map<number, readonly MessageRow[]>();
  readonly #asked = new Set<number>();
  #first = 0;
  #end = 0;
  #pinned = -1;
  #growing = false;
  #frameCount = -1;
  #firstHeldFrame = 0;

  constructor(options: {
    readonly fetch: FetchMessages;
    readonly onChange: () => void;
    readonly onError: (error: unknown) => void;
  }) {
    this.#fetch = options.fetch;
    this.#onChange = options.onChange;
    this.#onError = options.onError;
  }

  /** Index of the first message that can still be told apart, and one past the last. */
  get first(): number {
    return this.#first;
  }
  get end(): number {
    return this.#end;
  }

  at(index: number): MessageRow | undefined {
    return this.#pages.get(Math.floor(index / PAGE_MESSAGES))?.find((row) => row.index === index);
  }

  /** This message is being read: its page stays, wherever one scrolls. */
  pin(index: number | null): void {
    this.#pinned = index === null ? -1 : Math.floor(index / PAGE_MESSAGES);
  }

  stop(): void {
    this.#abort.abort();
  }

  /** Frames have come, or have been evicted: there may be more messages, or fewer. */
  grow(frameCount: number, firstHeldFrame = 0): void {
    if (this.#growing || (frameCount === this.#frameCount && firstHeldFrame === this.#firstHeldFrame)) return;
    this.#growing = true;
    this.#findEnd(frameCount)
      .then(() => {
        // Not before it is known: what has failed is asked again.
        this.#frameCount = frameCount;
        return this.#findFirst(firstHeldFrame);
      })
      .catch((error: unknown) => {
        if (!this.#abort.signal.aborted) this.#onError(error);
      })
      .finally(() => {
        this.#growing = false;
      });
  }

  /** These messages are looked at: their pages are fetched where they are missing. */
  lookAt(from: number, to: number): void {
    for (let page = Math.floor(from / PAGE_MESSAGES); page * PAGE_MESSAGES < Math.min(to, this.#end); page += 1) {
      const held = this.#pages.get(page);
      if (held !== undefined) {
        // Most recently looked at goes last.
        this.#pages.delete(page);
        this.#pages.set(page, held);
      } else if (!this.#asked.has(page)) {
        this.#asked.add(page);
        this.#load(page)
          .catch((error: unknown) => {
            if (!this.#abort.signal.aborted) this.#onError(error);
          })
          .finally(() => this.#asked.delete(page));
      }
    }
  }

  async #load(page: number): Promise<MessagePage> {
    const answer = await this.#fetch(page * PAGE_MESSAGES, PAGE_MESSAGES, this.#abort.signal);
    if (this.#abort.signal.aborted) return answer;
    const rows = answer.messages.filter((row) => Math.floor(row.index / PAGE_MESSAGES) === page);
    this.#pages.delete(page);
    this.#pages.set(page, rows);
    for (const old of this.#pages.keys()) {
      if (this.#pages.size <= MAX_PAGES) break;
      if (old !== this.#pinned) this.#pages.delete(old);
    }
    this.#onChange();
    return answer;
  }

  async #findFirst(firstHeldFrame: number): Promise<void> {
    if (firstHeldFrame === this.#firstHeldFrame) return;
    const [oldest] = (await this.#fetch(this.#first, 1, this.#abort.signal)).messages;
    this.#firstHeldFrame = firstHeldFrame;
    this.#first = oldest === undefined ? this.#end : oldest.index;
    this.#onChange();
  }

  async #findEnd(frameCount: number): Promise<void> {
    const { signal } = this.#abort;
    let page = Math.floor(Math.max(0, this.#end - 1) / PAGE_MESSAGES);
    let answer = await this.#load(page);
    if (this.#end === 0) this.#first = answer.messages[0]?.index ?? 0;
    if (answer.next !== null) {
      // A message takes a frame at least: the end is not beyond their number.
      let low = answer.next;
      let high = Math.max(frameCount, low + 1);
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const probe = await this.#fetch(middle, 1, signal);
        if (probe.messages.length === 0) high = middle;
        else low = (probe.messages[0]?.index ?? middle) + 1;
      }
      page = Math.floor(Math.max(0, low - 1) / PAGE_MESSAGES);
      answer = await this.#load(page);
    }
    const last = answer.messages.at(-1)?.index;
    if (last !== undefined) this.#end = Math.max(this.#end, last + 1);
    this.#onChange();
  }
}
