import type { KeyboardEventHandler, ReactNode, Ref } from 'react';
import {
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { Pulse } from '../capture/pulse.ts';
import { VirtualWindow } from './virtual-window.ts';
import './virtual-rows.css';

export interface VirtualRowsHandle {
  /** Scrolls a position into view. */
  reveal(position: number, options?: { readonly center: boolean }): void;
  /** Puts a position at the top; 12.5: half of it is hidden. */
  standAt(position: number): void;
  focus(): void;
  /** Positions that are in sight, whole: the first, and one past the last. */
  visible(): { readonly first: number; readonly last: number };
}

interface VirtualRowsProps {
  readonly rowPx: number;
  readonly count: number;
  /** What position 0 stands for; see virtual-window.ts. */
  readonly origin?: number;
  readonly follow?: boolean;
  readonly onFollow?: (follow: boolean) => void;
  /**
   * Draws one row; it must be placed with the class `vrow` at `topPx`. `slot` is its key: elements of rows that left
   * the screen are used again for those that come.
   */
  readonly row: (position: number, topPx: number, slot: number) => ReactNode;
  /** Positions that are on the screen: told after drawing. */
  readonly onVisible?: (first: number, last: number) => void;
  /** Which position is at the top, and how much of it is hidden: told after drawing. */
  readonly onTop?: (position: number) => void;
  /** The user has scrolled. */
  readonly onMoved?: () => void;
  readonly onKeyDown?: KeyboardEventHandler;
  readonly role: string;
  readonly label: string;
  readonly rowCount?: number;
  readonly columnCount?: number;
  readonly activeId?: string | undefined;
  readonly className?: string;
  readonly handle?: Ref<VirtualRowsHandle>;
  /** Stays at the top while the rows scroll below it. */
  readonly header?: ReactNode;
  readonly headerPx?: number;
}

const REST_MS = 180;

/** A list of equal rows of any length. Only what is visible is drawn; the arithmetic is in virtual-window.ts. */
export function VirtualRows(props: VirtualRowsProps): ReactNode {
  const { rowPx, count, origin = 0, follow = false, onFollow, onVisible, onTop, onMoved, handle, headerPx = 0 } = props;
  const element = useRef<HTMLDivElement>(null);
  const [{ window: list, pulse }] = useState(() => ({ window: new VirtualWindow(rowPx), pulse: new Pulse() }));
  useSyncExternalStore(pulse.subscribe, pulse.version);

  const rest = useRef<ReturnType<typeof setTimeout>>(undefined);
  /** Takes what the user has scrolled. Returns whether that was anything. */
  const heed = useCallback((): boolean => {
    const node = element.current;
    const moved = node === null ? 0 : list.scrolled(node.scrollTop);
    if (node === null || moved === 0) return false;
    onMoved?.();
    // Where the place turned out taller than it was known to be, the browser itself moved up, to the very end.
    const atEnd = node.scrollTop + node.clientHeight >= node.scrollHeight - 1;
    if (moved < 0 && !atEnd) onFollow?.(false);
    else if (moved > 0 && list.atEnd) onFollow?.(true);
    pulse.beat();
    const settle = (): void => {
      // The user has scrolled on, and its event is still to come: it rests later.
      if (Math.abs(node.scrollTop - list.scrollPx) >= 1) return;
      list.settle();
      // At once, or a scroll before the next drawing would be measured from where the list does not stand yet.
      node.scrollTop = list.scrollPx;
      pulse.beat();
    };
    clearTimeout(rest.current);
    rest.current = setTimeout(settle, REST_MS);
    return true;
  }, [list, pulse, onFollow, onMoved]);

  const projection = list.project({ count, origin, follow });
  useLayoutEffect(() => {
    const node = element.current;
    // The user may have scrolled, the event of it still to come: it is drawn again, or the list would be put back.
    const shortened = node !== null && node.scrollHeight - node.clientHeight < list.scrollPx;
    if (!shortened && heed()) return;
    list.commit(projection);
    if (node !== null && Math.abs(node.scrollTop - projection.scrollPx) >= 1) node.scrollTop = projection.scrollPx;
    onVisible?.(projection.first, projection.last);
    if (list.viewportPx > 0) onTop?.(list.top);
  });

  // What stands beside the list may have come with the same drawing.
  const move = (to: () => boolean): void => {
    const node = element.current;
    const resized = node !== null && list.resized(Math.max(0, node.clientHeight - headerPx));
    const moved = to();
    // At once: the event of a scroll before this one would else be taken for the user's, back to where that was.
    if (moved && node !== null) node.scrollTop = list.scrollPx;
    if (moved || resized) pulse.beat();
  };
  useImperativeHandle(handle, () => ({
    reveal: (position, options = { center: false }) => move(() => list.reveal(position, options)),
    standAt: (position) =>
      move(() => {
        list.standAt(position);
        return true;
      }),
    focus: () => element.current?.focus({ preventScroll: true }),
    visible: () => list.visible,
  }));

  useLayoutEffect(() => {
    const node = element.current;
    if (node === null) return;
    const measure = (): void => {
      if (list.resized(Math.max(0, node.clientHeight - headerPx))) pulse.beat();
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    return () => observer.disconnect();
  }, [list, pulse, headerPx]);

  useEffect(() => {
    const node = element.current;
    if (node === null) return;
    const onScroll = (): void => void heed();
    node.addEventListener('scroll', onScroll, { passive: true });
    return () => node.removeEventListener('scroll', onScroll);
  }, [heed]);
  useEffect(() => {
    const node = element.current;
    if (node === null || !follow) return;
    // A list that follows sets its own position, and what the browser scrolls meanwhile may be lost: the turn of the
    // wheel that ends it is carried out here.
    const onWheel = (event: WheelEvent): void => {
      if (event.deltaY >= 0 || event.ctrlKey) return;
      event.preventDefault();
      onFollow?.(false);
      const unitPx = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? rowPx : list.viewportPx;
      node.scrollTop += event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * unitPx;
      heed();
    };
    node.addEventListener('wheel', onWheel, { passive: false });
    return () => node.removeEventListener('wheel', onWheel);
  }, [list, heed, follow, onFollow, rowPx]);
  useEffect(() => () => clearTimeout(rest.current), []);

  const slots = Math.ceil((projection.last - projection.first + 1) / 16) * 16;
  const rows: ReactNode[] = [];
  for (let position = projection.first; position < projection.last; position += 1) {
    rows.push(props.row(position, position * rowPx + projection.shiftPx, position % slots));
  }
  return (
    <div
      ref={element}
      className={`vlist ${props.className ?? ''}`}
      role={props.role}
      aria-label={props.label}
      aria-rowcount={props.rowCount}
      aria-colcount={props.columnCount}
      aria-activedescendant={props.activeId}
      tabIndex={0}
      onKeyDown={props.onKeyDown}
    >
      {props.header}
      <div className="vlist-spacer" role="presentation" style={{ height: projection.spacerPx }}>
        {rows}
      </div>
    </div>
  );
}
