/** Removals that are remembered, 16 bytes each, whatever the budget. */
const MOST_KEPT = 20_000;

/** Which sessions were removed lately, so that who was away hears of them: the newest push out the oldest. */
export class Removals {
  /** The log's number of a removal and the session's own, in turn. */
  readonly #ring: Float64Array;
  readonly #most: number;
  #count = 0;
  /** The log's number of the last one that is no longer remembered. */
  #forgottenSeq = 0;

  constructor(most: number = MOST_KEPT) {
    this.#most = Math.min(most, MOST_KEPT);
    this.#ring = new Float64Array(2 * this.#most);
  }

  get costBytes(): number {
    return this.#ring.byteLength;
  }

  /** @param seq above that of the one before */
  add(seq: number, session: number): void {
    const at = 2 * (this.#count % this.#most);
    if (this.#count >= this.#most) this.#forgottenSeq = this.#ring[at] as number;
    this.#count++;
    this.#ring[at] = seq;
    this.#ring[at + 1] = session;
  }

  /** Whether all that were removed after `seq` are remembered. */
  knows(seq: number): boolean {
    return seq >= this.#forgottenSeq;
  }

  /** Ids, in the order of removal, as far as they are remembered. */
  since(seq: number): string[] {
    const ids: string[] = [];
    const oldest = Math.max(0, this.#count - this.#most);
    for (let removal = this.#count - 1; removal >= oldest; removal--) {
      const at = 2 * (removal % this.#most);
      if ((this.#ring[at] as number) <= seq) break;
      ids.push(String(this.#ring[at + 1]));
    }
    return ids.reverse();
  }
}
