import type { MessageBook } from '../capture/message-book.ts';

/** Which message stands at which position of the list. */
export interface MessageOrder {
  readonly count: number;
  /** What position 0 stands for (see virtual-window.ts). */
  readonly origin: number;
  indexAt(position: number): number | undefined;
  /** Null where it is not listed. */
  positionOf(index: number): number | null;
  /** Of a message, or of the first listed one after it; null while that is not known. */
  nearest(index: number): number | null;
}

export function messageOrder({ matches, first, end }: MessageBook): MessageOrder {
  if (matches === null) {
    return {
      count: end - first,
      origin: first,
      indexAt: (position) => position + first,
      positionOf: (index) => (index < first || index >= end ? null : index - first),
      nearest: (index) => (index >= end ? null : Math.max(0, index - first)),
    };
  }
  const gone = matches.positionOf(first);
  return {
    count: Math.max(0, matches.positionOf(end) - gone),
    origin: gone,
    indexAt: (position) => matches.indexAt(position + gone),
    positionOf: (index) => {
      const at = matches.positionOf(index);
      return index >= first && index < end && matches.indexAt(at) === index ? at - gone : null;
    },
    nearest: (index) => (index < matches.scanned && index < end ? Math.max(0, matches.positionOf(index) - gone) : null),
  };
}
