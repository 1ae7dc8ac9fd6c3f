/** Which frame, or message, stands at which position of a list. */
export interface ListOrder {
  readonly count: number;
  /** Position of the first row that is one: 1 below a line about what is gone, else 0. */
  readonly firstRow: number;
  /** What position 0 stands for (see virtual-window.ts). */
  readonly origin: number;
  indexAt(position: number): number | undefined;
  /** Null where it is not listed. */
  positionOf(index: number): number | null;
  /** Of an index, or of the first listed one after it; null while that is not known. */
  nearest(index: number): number | null;
}
