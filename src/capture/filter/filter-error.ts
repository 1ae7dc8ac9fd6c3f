import { FrametapError } from '../../errors.ts';

/** A filter that cannot be read, and where. */
export class FilterError extends FrametapError {
  /** Number of UTF-16 code units before the place that is wrong. The message counts from 1. */
  readonly position: number;

  constructor(position: number, problem: string) {
    super('invalid-filter', `At character ${position + 1}: ${problem}.`);
    this.position = position;
  }
}
