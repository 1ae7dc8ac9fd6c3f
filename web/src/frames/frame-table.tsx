import { useCallback, useEffect, useLayoutEffect, useRef, useState, type MouseEvent, type ReactNode } from 'react';
import { formatFullTime } from '../format/clock.ts';
import { formatCount, formatMs, formatCounted } from '../format/numbers.ts';
import { setUi, useUi } from '../state.ts';
import { useCapture, useFrames } from '../use-capture.ts';
import { KeptTop, type ShownRows } from '../window/kept-top.ts';
import { useSteps } from '../window/use-steps.ts';
import { VirtualRows, type VirtualRowsHandle } from '../window/virtual-rows.tsx';
import { frameFilter } from './frame-filter.ts';
import { FrameRow, MissingRow, NoteRow } from './frame-row.tsx';
import { frameOrder } from './frame-order.ts';
import { heldText } from './frame-words.ts';

export const FRAME_ROW_PX = 21;
const HEADER_PX = 24;

export function FrameTable({ sessionId }: { readonly sessionId: string }): ReactNode {
  const capture = useCapture();
  useFrames(capture);
  const selected = useUi((ui) => ui.frame);
  const follow = useUi((ui) => ui.follow);
  const fault = useUi((ui) => ui.findFault);
  const handle = useRef<VirtualRowsHandle>(null);
  const order = frameOrder(capture);
  const [kept] = useState(() => new KeptTop('frames'));
  // The filter is put to the frames only after the table is there.
  const unfiltered = useUi((ui) => frameFilter(ui) === '');
  const rows: ShownRows = {
    of: capture.matches,
    indexAt: (position) => order.indexAt(position),
    positionOf: (index) => order.positionOf(index),
    nearest: (index) => (unfiltered || capture.matches !== null ? order.nearest(index) : null),
  };
  useLayoutEffect(() => kept.drawn(rows, handle.current));
  useEffect(() => kept.watch(), [kept]);
  const onKeyDown = useSteps('frames', () => frameOrder(capture), handle);

  const select = useCallback((index: number) => setUi({ frame: index, detailOpen: true, follow: false }), []);
  const onFollow = useCallback((next: boolean) => setUi({ follow: next }), []);
  const onMoved = useCallback(() => kept.moved(), [kept]);
  const onTime = useCallback(
    (event: MouseEvent<HTMLElement>, index: number) => {
      const timeUs = capture.rows.timeAt(index);
      const sinceMs = (timeUs - capture.rows.timeAt(index - 1)) / 1000;
      event.currentTarget.title =
        formatFullTime(timeUs) +
        (Number.isFinite(sinceMs) ? `\n+${formatMs(Math.max(0, sinceMs))} after the frame before` : '');
    },
    [capture],
  );
  const onVisible = useCallback(
    (first: number, last: number) => {
      const { offset } = frameOrder(capture);
      capture.lookAt(first + offset, last + offset);
    },
    [capture],
  );

  // Opening the detail takes room away: what was selected stays in sight.
  const detailOpen = useUi((ui) => ui.detailOpen);
  // Where the list is brought back to its place, that says what is in sight.
  const backAt = useRef(useUi.getState().framesTop === null ? null : { selected, detailOpen });
  useEffect(() => {
    const { current: back } = backAt;
    if (back !== null && back.selected === selected && back.detailOpen === detailOpen) return;
    backAt.current = null;
    if (selected === null || useUi.getState().follow) return;
    const frame = requestAnimationFrame(() => {
      const at = frameOrder(capture).positionOf(selected);
      if (at !== null) handle.current?.reveal(at);
    });
    return () => cancelAnimationFrame(frame);
  }, [capture, detailOpen, selected]);

  const shown = capture.selected === sessionId ? order.count : 0;
  const row = (position: number, topPx: number, slot: number): ReactNode => {
    const index = order.indexAt(position);
    if (index === undefined) {
      return (
        <NoteRow key={slot} topPx={topPx} position={position}>
          {order.note}
        </NoteRow>
      );
    }
    const frame = capture.rows.at(index);
    if (frame === undefined) {
      return (
        <MissingRow
          key={slot}
          index={index}
          topPx={topPx}
          position={position}
          selected={index === selected}
          unrecorded={capture.rows.isUnrecorded(index)}
          onSelect={select}
        />
      );
    }
    return (
      <FrameRow
        key={slot}
        index={index}
        topPx={topPx}
        position={position}
        selected={index === selected}
        timeUs={frame.timeUs}
        bits={frame.bits}
        violations={frame.violations}
        payloadLength={frame.payloadLength}
        text={frame.text}
        held={heldText(frame)}
        onSelect={select}
        onTime={onTime}
      />
    );
  };
  const active = selected !== null && order.positionOf(selected) !== null ? `frame-${selected}` : undefined;
  return (
    <div className="frame-table">
      <VirtualRows
        className="frames-list"
        role="grid"
        label="Frames"
        rowPx={FRAME_ROW_PX}
        headerPx={HEADER_PX}
        header={<TableHeader />}
        count={shown}
        rowCount={shown + 1}
        columnCount={6}
        origin={order.origin}
        follow={follow}
        onFollow={onFollow}
        handle={handle}
        onKeyDown={onKeyDown}
        onVisible={onVisible}
        onTop={(position) => kept.stands(position, rows)}
        onMoved={onMoved}
        activeId={active}
        row={row}
      />
      {shown <= order.firstRow && fault === null && (
        <Nothing
          filtered={capture.matches !== null}
          first={capture.range?.from ?? 0}
          end={Math.min(capture.frameCount, capture.range?.to ?? Infinity)}
          searched={capture.matches?.scanned ?? 0}
        />
      )}
    </div>
  );
}

function TableHeader(): ReactNode {
  return (
    <div role="row" aria-rowindex={1} className="frame-header">
      <span role="columnheader" className="c-number">
        #
      </span>
      <span role="columnheader" className="c-time">
        time
      </span>
      <span role="columnheader" className="c-direction" aria-label="direction">
        ⇅
      </span>
      <span role="columnheader" className="c-type">
        type
      </span>
      <span role="columnheader" className="c-length">
        length
      </span>
      <span role="columnheader" className="c-data">
        data
      </span>
    </div>
  );
}

function Nothing(props: {
  readonly filtered: boolean;
  readonly first: number;
  readonly end: number;
  readonly searched: number;
}): ReactNode {
  if (!props.filtered) return <div className="frames-nothing">No frames.</div>;
  const count = props.end - props.first;
  const none = count === 1 ? 'The only frame does not pass' : `None of the ${formatCount(count)} frames passes`;
  return (
    <div className="frames-nothing">
      {props.searched >= props.end
        ? `${none} the filter.`
        : `Searching: ${formatCount(props.searched - props.first)} of ${formatCounted(count, 'frame')} …`}
    </div>
  );
}
