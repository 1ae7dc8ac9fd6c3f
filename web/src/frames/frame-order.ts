import type { Capture } from '../capture/capture.ts';
import { formatCount } from '../format/numbers.ts';
import type { ListOrder } from '../window/list-order.ts';

/** Which frame stands at which position of the table. */
export interface FrameOrder extends ListOrder {
  /** Added to a position it gives what `Capture.lookAt` counts in. */
  readonly offset: number;
  /** The line about evicted frames. */
  readonly note: string;
}

export function frameOrder(capture: Capture): FrameOrder {
  const { matches, firstHeldFrame, frameCount, range } = capture;
  const lines = firstHeldFrame > (range?.from ?? 0) ? 1 : 0;
  const evicted = capture.evicts;
  const note = goneNote(firstHeldFrame, evicted);
  const first = Math.max(firstHeldFrame, range?.from ?? 0);
  const end = Math.max(first, Math.min(frameCount, range?.to ?? frameCount));
  if (matches !== null) {
    const gone = matches.positionOf(first);
    const offset = gone - lines;
    return {
      count: matches.positionOf(end) - offset,
      firstRow: lines,
      origin: offset,
      offset,
      note: `${note}; what passed the filter among them is not listed`,
      indexAt: (position) => (position < lines ? undefined : matches.indexAt(position + offset)),
      positionOf: (index) => {
        const at = matches.positionOf(index);
        return index >= first && index < end && matches.indexAt(at) === index ? at - offset : null;
      },
      nearest: (index) =>
        index < first ? 0 : index < matches.scanned && index < end ? matches.positionOf(index) - offset : null,
    };
  }
  const offset = first - lines;
  return {
    count: end - offset,
    firstRow: lines,
    origin: offset,
    offset,
    note: evicted ? `${note}: the oldest go first when the memory budget is used up` : note,
    indexAt: (position) => (position < lines ? undefined : position + offset),
    positionOf: (index) => (index < first || index >= end ? null : index - offset),
    nearest: (index) => (index >= end ? null : Math.max(0, index - offset)),
  };
}

/**
 * What went, as the start of a sentence. Where nothing has been evicted, it was cleared, or passed while recording was
 * stopped.
 */
export function goneNote(firstHeldFrame: number, evicted: boolean): string {
  const why = evicted ? 'evicted' : 'not held';
  if (firstHeldFrame === 1) return `Frame 0 ${evicted ? 'was' : 'is'} ${why}`;
  return `Frames 0–${formatCount(firstHeldFrame - 1)} ${evicted ? 'were' : 'are'} ${why}`;
}
