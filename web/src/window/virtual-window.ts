/**
 * Arithmetic of a list that draws only what is visible. All rows are `rowPx` tall.
 *
 * Chromium draws no element taller than 33,554,428 px, so the scrolled element is capped at `MAX_SPACER_PX`. Above
 * that the scroll position S and the place in the list V part: the first and last third are exact, the middle is
 * stretched. Small movements move V by as much as S; jumps map S to V; when scrolling has come to rest, S is put
 * where V is.
 */
export const MAX_SPACER_PX = 15_000_000;
const EXACT_PX = 5_000_000;
/** A movement up to this many viewports is scrolling; above it is a jump with the scroll bar. */
const SMALL_MOVE_VIEWPORTS = 4;
const OVERSCAN_ROWS = 6;

/** Place in a list of `totalPx` for a scroll position in a spacer of `spacerPx`. Monotonous, and exact at both ends. */
export function placeOf(scrollPx: number, totalPx: number, spacerPx: number): number {
  if (totalPx <= spacerPx) return scrollPx;
  if (scrollPx <= EXACT_PX) return scrollPx;
  if (scrollPx >= spacerPx - EXACT_PX) return totalPx - (spacerPx - scrollPx);
  const stretch = (totalPx - 2 * EXACT_PX) / (spacerPx - 2 * EXACT_PX);
  return EXACT_PX + (scrollPx - EXACT_PX) * stretch;
}

/** The inverse of `placeOf`. */
export function scrollOf(placePx: number, totalPx: number, spacerPx: number): number {
  if (totalPx <= spacerPx) return placePx;
  if (placePx <= EXACT_PX) return placePx;
  if (placePx >= totalPx - EXACT_PX) return spacerPx - (totalPx - placePx);
  const stretch = (totalPx - 2 * EXACT_PX) / (spacerPx - 2 * EXACT_PX);
  return EXACT_PX + (placePx - EXACT_PX) / stretch;
}

/** What is drawn, and where. */
export interface Projection {
  readonly spacerPx: number;
  /** First position drawn, and one past the last. */
  readonly first: number;
  readonly last: number;
  /** Added to position * rowPx it gives a row's place in the spacer. */
  readonly shiftPx: number;
  readonly scrollPx: number;
  readonly placePx: number;
  readonly totalPx: number;
  readonly origin: number;
}

export interface Extent {
  readonly count: number;
  /** What position 0 stands for: when it moves on, the rows keep their place on the screen. */
  readonly origin: number;
  /** Sticks to the end. */
  readonly follow: boolean;
}

/** Holds where a list stands. `project` computes without changing anything; `commit` takes a projection as drawn. */
export class VirtualWindow {
  readonly rowPx: number;
  #viewportPx = 0;
  #scrollPx = 0;
  #placePx = 0;
  #totalPx = 0;
  #spacerPx = 0;
  #origin = 0;
  /** The user scrolls: until that has come to rest, the scroll position is left to the browser. */
  #scrolling = false;

  constructor(rowPx: number) {
    this.rowPx = rowPx;
  }

  get viewportPx(): number {
    return this.#viewportPx;
  }

  get scrollPx(): number {
    return this.#scrollPx;
  }

  /** The position at the top, and how much of its row is hidden: 12.5. */
  get top(): number {
    return this.#placePx / this.rowPx;
  }

  get atEnd(): boolean {
    return this.#placePx >= this.#totalPx - this.#viewportPx - 2;
  }

  /** Positions that are in sight, whole: the first, and one past the last. One at least, if it is not whole. */
  get visible(): { readonly first: number; readonly last: number } {
    const first = Math.ceil(this.top);
    return { first, last: Math.max(first + 1, Math.floor((this.#placePx + this.#viewportPx) / this.rowPx)) };
  }

  resized(viewportPx: number): boolean {
    if (viewportPx === this.#viewportPx) return false;
    this.#viewportPx = viewportPx;
    return true;
  }

  /** The user has scrolled. Returns by how many pixels, 0 for an echo of our own move. */
  scrolled(scrollPx: number): number {
    const moved = scrollPx - this.#scrollPx;
    if (Math.abs(moved) < 1) return 0;
    this.#scrollPx = scrollPx;
    this.#scrolling = true;
    const maxPlace = Math.max(0, this.#totalPx - this.#viewportPx);
    const small = Math.abs(moved) <= SMALL_MOVE_VIEWPORTS * this.#viewportPx;
    const atEdge = scrollPx <= 0 || scrollPx >= this.#spacerPx - this.#viewportPx - 1;
    const place = small && !atEdge ? this.#placePx + moved : placeOf(scrollPx, this.#totalPx, this.#spacerPx);
    this.#placePx = Math.min(Math.max(0, place), maxPlace);
    return moved;
  }

  /** Puts the scroll position where the place is, after scrolling has come to rest. */
  settle(): void {
    this.#scrolling = false;
    this.#scrollPx = scrollOf(this.#placePx, this.#totalPx, this.#spacerPx);
  }

  /** Moves so that a position is visible; `center` puts it in the middle where it was not. Returns whether it moved. */
  reveal(position: number, { center }: { readonly center: boolean }): boolean {
    const top = position * this.rowPx;
    const bottom = top + this.rowPx;
    if (top >= this.#placePx && bottom <= this.#placePx + this.#viewportPx) return false;
    const wanted = center
      ? top - (this.#viewportPx - this.rowPx) / 2
      : top < this.#placePx
        ? top
        : bottom - this.#viewportPx;
    this.#placePx = Math.min(Math.max(0, wanted), Math.max(0, this.#totalPx - this.#viewportPx));
    this.settle();
    return true;
  }

  /** Puts a position at the top, as far as there are rows below it. */
  standAt(position: number): void {
    const maxPlace = Math.max(0, this.#totalPx - this.#viewportPx);
    this.#placePx = Math.min(Math.max(0, position * this.rowPx), maxPlace);
    this.settle();
  }

  project({ count, origin, follow }: Extent): Projection {
    const totalPx = count * this.rowPx;
    const spacerPx = Math.min(totalPx, MAX_SPACER_PX);
    const maxPlace = Math.max(0, totalPx - this.#viewportPx);
    const kept = this.#placePx - (origin - this.#origin) * this.rowPx;
    const placePx = follow ? maxPlace : Math.min(Math.max(0, kept), maxPlace);
    const grown = totalPx !== this.#totalPx && !this.#scrolling;
    const stays = placePx === this.#placePx && spacerPx === this.#spacerPx && !grown;
    const scrollPx = follow
      ? Math.max(0, spacerPx - this.#viewportPx)
      : totalPx <= spacerPx
        ? placePx
        : stays
          ? this.#scrollPx
          : scrollOf(placePx, totalPx, spacerPx);
    const first = Math.max(0, Math.floor(placePx / this.rowPx) - OVERSCAN_ROWS);
    const last = Math.min(count, Math.ceil((placePx + this.#viewportPx) / this.rowPx) + OVERSCAN_ROWS);
    return { spacerPx, first, last, shiftPx: scrollPx - placePx, scrollPx, placePx, totalPx, origin };
  }

  /** Takes a projection as what is on the screen. */
  commit(projection: Projection): void {
    this.#placePx = projection.placePx;
    this.#scrollPx = projection.scrollPx;
    this.#totalPx = projection.totalPx;
    this.#spacerPx = projection.spacerPx;
    this.#origin = projection.origin;
  }
}
