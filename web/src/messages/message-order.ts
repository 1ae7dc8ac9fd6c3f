import type { MessageBook } from '../capture/message-book.ts';
import type { ListOrder } from '../window/list-order.ts';

/** Which message stands at which position of the list. */
export function messageOrder({ matches, first, end }: MessageBook): ListOrder {
  if (matches === null) {
    return {
      count: end - first,
      firstRow: 0,
      origin: first,
      indexAt: (position) => position + first,
      positionOf: (index) => (index < first || index >= end ? null : index - first),
      nearest: (index) => (index >= end ? null : Math.max(0, index - first)),
    };
  }
  const gone = matches.positionOf(first);
  return {
    count: Math.max(0, matches.positionOf(end) - gone),
    firstRow: 0,
    origin: gone,
    indexAt: (position) => matches.indexAt(position + gone),
    positionOf: (index) => {
      const at = matches.positionOf(index);
      return index >= first && index < end && matches.indexAt(at) === index ? at - gone : null;
    },
    nearest: (index) => (index < matches.scanned && index < end ? Math.max(0, matches.positionOf(index) - gone) : null),
  };
}
