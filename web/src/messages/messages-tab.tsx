import {
  memo,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from 'react';
import type { MessageBook } from '../capture/message-book.ts';
import { DetailPane } from '../detail/detail-pane.tsx';
import { formatCount, formatCounted } from '../format/numbers.ts';
import { goneNote } from '../frames/frame-order.ts';
import { ListTools, MatchCount } from '../frames/frame-tools.tsx';
import { Splitter } from '../shell/splitter.tsx';
import { setUi, useUi } from '../state.ts';
import { useCapture, useFrames } from '../use-capture.ts';
import { KeptTop, type ShownRows } from '../window/kept-top.ts';
import { useSteps } from '../window/use-steps.ts';
import { VirtualRows, type VirtualRowsHandle } from '../window/virtual-rows.tsx';
import { messageOrder } from './message-order.ts';
import { MessageRow } from './message-row.tsx';
import { useMessages } from './use-messages.ts';
import './messages.css';

const ROW_PX = 21;
const HEADER_PX = 24;
const COLUMNS = ['#', 'time', '⇅', 'type', 'length', 'frames', 'deflate', 'data'] as const;
const COLUMN_CLASSES = ['number', 'time', 'direction', 'type', 'length', 'frames', 'ratio', 'text'] as const;

export default memo(function MessagesTab({ sessionId }: { readonly sessionId: string }): ReactNode {
  const selected = useUi((ui) => ui.message);
  const detailOpen = useUi((ui) => ui.detailOpen);
  const detailPx = useUi((ui) => ui.detailPx);
  const follow = useUi((ui) => ui.followMessages);
  const { book, pulse, error, chosen: isChosen } = useMessages(sessionId);
  useSyncExternalStore(pulse.subscribe, pulse.version);
  const order = messageOrder(book);
  const fault = useUi((ui) => ui.findFault);
  const handle = useRef<VirtualRowsHandle>(null);
  const [kept] = useState(() => new KeptTop('messages'));
  const message = selected === null ? undefined : book.at(selected);
  const known = selected !== null && selected >= book.first && selected < book.end;
  const shown = message !== undefined;
  const rows: ShownRows = {
    of: book.matches ?? book,
    indexAt: (position) => order.indexAt(position),
    positionOf: (index) => order.positionOf(index),
    // The detail takes room away: it is waited for. A choice is put to the messages only after the list is there.
    nearest: (index) =>
      (detailOpen && known && !shown) || isChosen !== (book.matches !== null) ? null : order.nearest(index),
  };
  useLayoutEffect(() => kept.drawn(rows, handle.current));
  useEffect(() => kept.watch(), [kept]);
  const onKeyDown = useSteps('messages', () => messageOrder(book), handle);
  const onMoved = useCallback(() => kept.moved(), [kept]);
  // Where the list is brought back to its place, that says what is in sight.
  const backAt = useRef(useUi.getState().messagesTop === null ? null : { selected, detailOpen });

  useEffect(() => book.pin(selected), [book, selected]);
  // Selected from elsewhere, as the partner of another, or by the address: it comes into sight, above its detail.
  useEffect(() => {
    if (!known || useUi.getState().followMessages) return;
    book.want(selected);
    const { current: back } = backAt;
    if (back !== null && back.selected === selected && back.detailOpen === detailOpen) return;
    backAt.current = null;
    const frame = requestAnimationFrame(() => {
      const at = messageOrder(book).positionOf(selected);
      if (at !== null) handle.current?.reveal(at);
    });
    return () => cancelAnimationFrame(frame);
  }, [book, known, shown, selected, detailOpen]);
  const onFollow = useCallback((next: boolean) => setUi({ followMessages: next }), []);
  const onVisible = useCallback((first: number, last: number) => book.lookAt(first, last), [book]);
  const { count } = order;
  const searching = book.matches !== null && book.matches.scanned < book.end;
  return (
    <>
      <ListTools list="messages">
        {isChosen ? (
          <MatchCount
            listed={count}
            of={book.end}
            unreadable={book.matches?.unreadable ?? 0}
            searchedTo={searching ? book.matches?.scanned : undefined}
          />
        ) : (
          <MatchCount />
        )}
      </ListTools>
      <Evicted sessionId={sessionId} />
      {error !== null && count > 0 && (
        <div className="lost" role="alert">
          Messages could not be read: {error}
        </div>
      )}
      <div className="frame-table messages">
        <VirtualRows
          role="grid"
          label="Messages"
          rowPx={ROW_PX}
          headerPx={HEADER_PX}
          header={<Header />}
          count={count}
          rowCount={count + 1}
          columnCount={COLUMNS.length}
          origin={order.origin}
          follow={follow}
          onFollow={onFollow}
          handle={handle}
          onKeyDown={onKeyDown}
          onVisible={onVisible}
          onTop={(position) => kept.stands(position, rows)}
          onMoved={onMoved}
          activeId={selected !== null && order.positionOf(selected) !== null ? `message-${selected}` : undefined}
          row={(position, topPx, slot) => {
            const index = order.indexAt(position);
            if (index === undefined) return null;
            return (
              <MessageRow
                key={slot}
                index={index}
                message={book.at(index)}
                position={position}
                topPx={topPx}
                selected={index === selected}
              />
            );
          }}
        />
        {count === 0 && fault === null && (
          <div className="frames-nothing">{error ?? (isChosen ? noneOf(book) : 'No messages.')}</div>
        )}
      </div>
      {detailOpen && message !== undefined && (
        <>
          <Splitter
            orientation="horizontal"
            label="Height of the detail"
            valuePx={detailPx}
            minPx={120}
            maxPx={1200}
            sense={-1}
            onChange={(px) => setUi({ detailPx: px })}
          />
          <DetailPane
            subject={{ kind: 'message', session: sessionId, index: message.index }}
            message={message}
            heightPx={detailPx}
          />
        </>
      )}
    </>
  );
});

function noneOf({ matches, first, end }: MessageBook): string {
  const count = end - first;
  const held = first > 0 ? ' that are held' : '';
  if (matches !== null && matches.scanned < end) {
    const done = Math.max(0, matches.scanned - first);
    return `Searching: ${formatCount(done)} of ${formatCounted(count, 'message')}${held} …`;
  }
  return count === 1
    ? 'The only message does not pass the filter.'
    : `None of the ${formatCount(count)} messages${held} passes the filter.`;
}

/** Above the oldest message that is left: what the memory budget took. */
function Evicted({ sessionId }: { readonly sessionId: string }): ReactNode {
  const capture = useCapture();
  useFrames(capture);
  const first = capture.selected === sessionId ? capture.firstHeldFrame : 0;
  if (first === 0) return null;
  const evicted = capture.evicts;
  return (
    <div className="lost">
      {goneNote(first, evicted)}, {evicted ? 'and' : 'nor are'} the messages in them
    </div>
  );
}

function Header(): ReactNode {
  return (
    <div role="row" aria-rowindex={1} className="frame-header">
      {COLUMNS.map((name, at) => (
        <span
          key={name}
          role="columnheader"
          className={`m-${COLUMN_CLASSES[at] ?? ''}`}
          aria-label={name === '⇅' ? 'direction' : undefined}
        >
          {name}
        </span>
      ))}
    </div>
  );
}
