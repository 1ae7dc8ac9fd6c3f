/**
 * Says what position 0 of a list of ascending ids stands for (see virtual-window.ts), so that the first row on the
 * screen keeps its place when rows come or go above it.
 */
export class RowAnchor {
  #id: string | undefined;
  /** Origin and position of that row together: what does not change. */
  #sum = 0;
  #origin = 0;

  originOf(ids: readonly string[]): number {
    if (this.#id !== undefined && ids.length > 0) this.#origin = this.#sum - firstFrom(ids, Number(this.#id));
    return this.#origin;
  }

  /** This position is the first on the screen. */
  look(ids: readonly string[], first: number): void {
    this.#id = ids[first];
    this.#sum = this.#origin + first;
  }
}

/** Position of the first id that is not below `number`. */
function firstFrom(ids: readonly string[], number: number): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Number(ids[middle]) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
