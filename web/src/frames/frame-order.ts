import type { Capture } from '../capture/capture.ts';
import { formatCount } from '../format/numbers.ts';

/** Which frame stands at which position of the table. */
export interface FrameOrder {
  readonly count: number;
  /** Position of the first row that is a frame: 1 below the line about evicted frames, else 0. */
  readonly firstRow: number;
  /** What position 0 stands for (see virtual-window.ts). */
  readonly origin: number;
  /** Added to a position it gives what `Capture.lookAt` counts in. */
  readonly offset: number;
  /** The line about evicted frames. */
  readonly note: string;
  indexAt(position: number): number | undefined;
  positionOf(index: number): number | null;
}

export function frameOrder(capture: Capture): FrameOrder {
  const { matches, firstHeldFrame, frameCount } = capture;
  if (matches !== null) {
    return {
      count: matches.length,
      firstRow: 0,
      origin: 0,
      offset: 0,
      note: '',
      indexAt: (position) => matches.indexAt(position),
      positionOf: (index) => {
        const at = matches.positionOf(index);
        return matches.indexAt(at) === index ? at : null;
      },
    };
  }
  const lines = firstHeldFrame > 0 ? 1 : 0;
  const offset = firstHeldFrame - lines;
  return {
    count: frameCount - firstHeldFrame + lines,
    firstRow: lines,
    origin: offset,
    offset,
    note:
      firstHeldFrame === 1
        ? 'Frame 0 was evicted: the oldest go first when the memory budget is used up'
        : `Frames 0–${formatCount(firstHeldFrame - 1)} were evicted: the oldest go first when the memory budget is used up`,
    indexAt: (position) => (position < lines ? undefined : position + offset),
    positionOf: (index) => (index < firstHeldFrame || index >= frameCount ? null : index - offset),
  };
}
