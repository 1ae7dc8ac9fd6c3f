import { useEffect, useEffectEvent, type KeyboardEvent, type RefObject } from 'react';
import { onStep, type Step } from '../shell/keyboard.ts';
import { setUi, useUi } from '../state.ts';
import type { ListOrder } from './list-order.ts';
import type { VirtualRowsHandle } from './virtual-rows.tsx';

const FIELDS = {
  frames: { selected: 'frame', follow: 'follow' },
  messages: { selected: 'message', follow: 'followMessages' },
} as const;

/** Moves the selection of a list by keys. Returns what listens to those that are for the list alone. */
export function useSteps(
  list: keyof typeof FIELDS,
  orderNow: () => ListOrder,
  handle: RefObject<VirtualRowsHandle | null>,
): (event: KeyboardEvent) => void {
  const { selected, follow } = FIELDS[list];
  const step = (by: Step): void => {
    const order = orderNow();
    const position = stepTo(by, order, useUi.getState()[selected], handle.current?.visible());
    const index = position === null ? undefined : order.indexAt(position);
    if (position === null || index === undefined) return;
    setUi({ [selected]: index, [follow]: by === 'last' });
    // With the line about what is gone.
    handle.current?.reveal(by === 'first' ? 0 : position);
  };
  const onGlobalStep = useEffectEvent(step);
  useEffect(() => onStep((by) => onGlobalStep(by)), []);
  return (event) => {
    const { first, last } = handle.current?.visible() ?? { first: 0, last: 10 };
    const steps: Readonly<Record<string, Step>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: last - first,
      PageUp: first - last,
      Home: 'first',
      End: 'last',
    };
    const by = steps[event.key];
    if (event.key === 'Enter') setUi({ detailOpen: true });
    else if (by !== undefined) step(by);
    else return;
    event.preventDefault();
  };
}

/**
 * Where a step leads; null: nowhere. From a selected row that is not listed it goes to its neighbours that are; where nothing is
 * selected, to what is in sight.
 */
export function stepTo(
  by: Step,
  order: ListOrder,
  selected: number | null,
  visible: { readonly first: number; readonly last: number } = { first: order.firstRow, last: order.count },
): number | null {
  const { count, firstRow } = order;
  const within = (position: number): number => Math.min(Math.max(position, firstRow), count - 1);
  if (by === 'first') return within(firstRow);
  if (by === 'last') return within(count - 1);
  if (selected === null) return within(by > 0 ? visible.first : visible.last - 1);
  const at = order.positionOf(selected);
  if (at !== null) return within(at + by);
  // Where it is not known yet, what has been found so far is before it.
  const after = Math.max(order.nearest(selected) ?? count, firstRow);
  if (by < 0) return after > firstRow ? within(after + by) : null;
  return after < count ? within(after + by - 1) : null;
}
