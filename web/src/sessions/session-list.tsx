import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import type { Capture } from '../capture/capture.ts';
import { findSessions } from '../capture/session-matches.ts';
import { formatCount } from '../format/numbers.ts';
import { openSession, setUi, useUi } from '../state.ts';
import { useCapture, useNow, useSessions } from '../use-capture.ts';
import { VirtualRows, type VirtualRowsHandle } from '../window/virtual-rows.tsx';
import { moveSession, setListedSessions } from './session-order.ts';
import { SessionRow } from './session-row.tsx';
import { SPARK_STEP_MS } from '../capture/session-book.ts';
import './session-list.css';

const ROW_PX = 44;
/** While sessions change, the filter is put to the server again so often. */
const REFRESH_MS = 1500;

export function SessionList({ widthPx }: { readonly widthPx: number }): ReactNode {
  const capture = useCapture();
  useSessions(capture);
  const now = useNow(SPARK_STEP_MS);
  const filter = useUi((ui) => ui.filter);
  const selected = useUi((ui) => ui.session);
  const follow = useUi((ui) => ui.followSessions);
  const matches = useMatches(capture, filter);
  const ids = matches ?? capture.book.ids;
  const handle = useRef<VirtualRowsHandle>(null);
  const onFollow = useCallback((next: boolean) => setUi({ followSessions: next }), []);

  useEffect(() => setListedSessions(matches), [matches]);
  // Only a new selection moves the list, not each new session.
  const revealed = useRef<string | null>(null);
  useEffect(() => {
    if (selected === null || revealed.current === selected) return;
    const at = ids.indexOf(selected);
    if (at < 0) return;
    revealed.current = selected;
    handle.current?.reveal(at);
  }, [selected, ids]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const { key } = event;
    if (key === 'ArrowDown') moveSession(capture, 1);
    else if (key === 'ArrowUp') moveSession(capture, -1);
    else if (key === 'Home') openSession(ids[0] ?? null);
    else if (key === 'End') openSession(ids.at(-1) ?? null);
    else return;
    event.preventDefault();
  };

  return (
    <nav className="sessions" aria-label="Sessions" style={{ width: widthPx }}>
      <div className="pane-title">
        <span>Sessions</span>
        <span className="dim">
          {matches === null
            ? formatCount(ids.length)
            : `${formatCount(ids.length)} of ${formatCount(capture.book.size)}`}
        </span>
      </div>
      {ids.length === 0 && <div className="nothing">No session passes the filter.</div>}
      <VirtualRows
        role="listbox"
        label="Sessions"
        rowPx={ROW_PX}
        count={ids.length}
        follow={follow}
        onFollow={onFollow}
        handle={handle}
        onKeyDown={onKeyDown}
        activeId={selected === null ? undefined : `session-${selected}`}
        row={(position, topPx, slot) => {
          const id = ids[position];
          const session = id === undefined ? undefined : capture.book.get(id);
          if (session === undefined) return null;
          return (
            <SessionRow
              key={slot}
              session={session}
              spark={session.state === 'open' ? capture.book.spark(session.id, now) : null}
              selected={session.id === selected}
              topPx={topPx}
              heightPx={ROW_PX}
              position={position}
              count={ids.length}
            />
          );
        }}
      />
    </nav>
  );
}

/** Ids that pass the filter, or null without one. The last answer stands until the next has come. */
function useMatches(capture: Capture, filter: string): readonly string[] | null {
  const [found, setFound] = useState<readonly string[] | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (filter === '') return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = capture.sessionsPulse.subscribe(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        setRound((before) => before + 1);
      }, REFRESH_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [capture, filter]);
  useEffect(() => {
    if (filter === '') return;
    const abort = new AbortController();
    findSessions(filter, setFound, abort.signal).catch((error: unknown) => {
      if (!abort.signal.aborted) setUi({ filterFault: { message: String(error), position: null } });
    });
    return () => abort.abort();
  }, [filter, round]);
  return filter === '' ? null : found;
}
