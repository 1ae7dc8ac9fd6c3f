/** A place in a roster. It is for the one who entered to leave by, once. */
export interface Entry<T> {
  readonly item: T;
  previous: Entry<T> | null;
  next: Entry<T> | null;
}

/**
 * Who is there at the moment, in the order in which they came.
 *
 * Why not a Set: V8's sets move to a new table every few additions, and each table keeps its entries and points to the
 * next one. Once one table has got into the old generation, young collections find everything alive that has passed
 * through any later one: each short session, sockets and all, waits for a full collection. What has left a roster is
 * held by nobody.
 */
export class Roster<T> {
  size = 0;
  #first: Entry<T> | null = null;
  #last: Entry<T> | null = null;

  add(item: T): Entry<T> {
    const entry: Entry<T> = { item, previous: this.#last, next: null };
    if (this.#last === null) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.size++;
    return entry;
  }

  /** Does nothing for who has left already. */
  delete(entry: Entry<T>): void {
    const { previous, next } = entry;
    if (previous === null && this.#first !== entry) return;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    entry.previous = entry.next = null;
    this.size--;
  }

  /** Who has been there longest. */
  get first(): Entry<T> | null {
    return this.#first;
  }

  /** Those that are there when it begins; each may leave while it is its turn. */
  *[Symbol.iterator](): Generator<T> {
    for (let entry = this.#first; entry !== null;) {
      const { item, next } = entry;
      yield item;
      entry = next;
    }
  }
}
