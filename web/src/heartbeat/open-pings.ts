/** One ping, or one sign of life that asks for nothing. */
export interface Beat {
  readonly frame: number;
  readonly timeUs: number;
  /** From ping to pong, in milliseconds; null without an answer. */
  rttMs: number | null;
}

/** So many unanswered ones are remembered. */
const MAX_OPEN = 64;

/**
 * Pings of one side that cannot be told apart, or only by an id, until they are answered.
 *
 * An answer with an id belongs to the ping with that id. Of pings that are all alike, n answers belong to the n newest:
 * whoever has several to answer may leave out all but the last (RFC 6455 §5.5.3), and who was stuck for a while answers
 * all of them at once.
 */
export class OpenPings {
  #asked: { readonly beat: Beat; readonly ids: readonly string[] }[] = [];
  /** When answers without a known id have come since the last ping. */
  #answersUs: number[] = [];

  ask(beat: Beat, ids: readonly string[]): void {
    if (this.#answersUs.length > 0) {
      this.#asked = [];
      this.#answersUs = [];
    }
    this.#asked.push({ beat, ids });
    if (this.#asked.length > MAX_OPEN) this.#asked.shift();
  }

  /** False where it answers nothing. */
  answer(timeUs: number, ids: readonly string[]): boolean {
    const at = this.#asked.findLastIndex(
      ({ beat, ids: own }) => beat.rttMs === null && own.some((id) => ids.includes(id)),
    );
    const named = this.#asked[at];
    if (named !== undefined) {
      named.beat.rttMs = (timeUs - named.beat.timeUs) / 1000;
      this.#asked.splice(at, 1);
      return true;
    }
    if (this.#answersUs.length >= this.#asked.length) return false;
    this.#answersUs.push(timeUs);
    const first = this.#asked.length - this.#answersUs.length;
    for (const [nth, answerUs] of this.#answersUs.entries()) {
      const beat = this.#asked[first + nth]?.beat;
      if (beat !== undefined) beat.rttMs = (answerUs - beat.timeUs) / 1000;
    }
    return true;
  }
}
