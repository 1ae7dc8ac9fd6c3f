import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import type { Capture } from '../capture/capture.ts';
import { findSessions, restAfter, type SessionHits } from '../capture/session-matches.ts';
import { formatCount } from '../format/numbers.ts';
import { setUi, useUi } from '../state.ts';
import { useCapture, useNow, useSessions, useStatus } from '../use-capture.ts';
import { RowAnchor } from '../window/row-anchor.ts';
import { VirtualRows, type VirtualRowsHandle } from '../window/virtual-rows.tsx';
import { goTo, moveSession, setListedSessions } from './session-order.ts';
import { SessionRow } from './session-row.tsx';
import { SPARK_STEP_MS } from '../capture/session-book.ts';
import './session-list.css';

const ROW_PX = 44;

export function SessionList({ widthPx }: { readonly widthPx: number }): ReactNode {
  const capture = useCapture();
  useSessions(capture);
  const now = useNow(SPARK_STEP_MS);
  const filter = useUi((ui) => ui.filter);
  const selected = useUi((ui) => ui.session);
  const follow = useUi((ui) => ui.followSessions);
  const filterText = useUi((ui) => ui.filterText.trim());
  const fault = useUi((ui) => ui.filterFault);
  const matches = useMatches(capture, filter);
  // Of another filter, or of none, is what is listed until the first answer: dimmed, for it is not decided.
  const undecided = fault === null && filterText !== '' && (filterText !== filter.trim() || matches?.filter !== filter);
  const matching = matches === null || matches.filter === '' ? null : matches.ids;
  const ids = matching ?? capture.book.ids;
  const searching = undecided || (fault === null && matches !== null && matches.searchedTo !== null);
  const [anchor] = useState(() => new RowAnchor());
  const handle = useRef<VirtualRowsHandle>(null);
  const onFollow = useCallback((next: boolean) => setUi({ followSessions: next }), []);

  useEffect(() => setListedSessions(matching), [matching]);
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
    else if (key === 'Home') goTo(ids, 0);
    else if (key === 'End') goTo(ids, ids.length - 1);
    else return;
    event.preventDefault();
    // Also where it was selected already and out of sight.
    const at = ids.indexOf(useUi.getState().session ?? '');
    if (at >= 0) handle.current?.reveal(at);
  };

  return (
    <nav className="sessions" aria-label="Sessions" style={{ width: widthPx }}>
      <div className="pane-title">
        <span>Sessions</span>
        <span className={searching ? 'searching' : 'dim'} role="status">
          <Count book={capture.book} hits={undecided || matching === null ? null : matches} searching={searching} />
        </span>
      </div>
      <Evicted capture={capture} />
      {ids.length === 0 && <div className="nothing">{searching ? 'None yet …' : 'No session passes the filter.'}</div>}
      <VirtualRows
        className={undecided ? 'undecided' : ''}
        role="listbox"
        label="Sessions"
        rowPx={ROW_PX}
        count={ids.length}
        origin={anchor.originOf(ids)}
        follow={follow}
        onFollow={onFollow}
        handle={handle}
        onKeyDown={onKeyDown}
        onVisible={(first) => anchor.look(ids, first)}
        activeId={selected !== null && ids.includes(selected) ? `session-${selected}` : undefined}
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

/** Where the sessions would have been that the memory budget took: above the oldest that is left. */
function Evicted({ capture }: { readonly capture: Capture }): ReactNode {
  useStatus(capture);
  const evicted = capture.status?.evicted.sessions ?? 0;
  if (evicted === 0) return null;
  return (
    <div className="lost" title="The oldest go first when the memory budget is used up. Raise it with --memory.">
      {formatCount(evicted)} older {evicted === 1 ? 'session was' : 'sessions were'} evicted
    </div>
  );
}

interface Matches extends SessionHits {
  readonly filter: string;
}

/**
 * What passes the filter, or null without one. What is not yet searched is left out; when sessions have changed the
 * search begins again, and the last answer stands where it has not come to. Until the first answer it is for another
 * `filter`.
 */
function useMatches(capture: Capture, filter: string): Matches | null {
  const [matches, setMatches] = useState<Matches>({ filter: '', ids: [], searchedTo: null });
  useEffect(() => {
    if (filter === '') return;
    const abort = new AbortController();
    let ids: readonly string[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let changed = false;
    let searching = false;
    let restMs = restAfter(0);
    const search = async (): Promise<void> => {
      changed = false;
      searching = true;
      const startedMs = performance.now();
      try {
        const before = ids;
        await findSessions(filter, {
          before,
          onHits: (hits) => {
            ids = hits.ids;
            // What failed has been done since.
            if (useUi.getState().filterFault?.text === filter) setUi({ filterFault: null });
            setMatches({ filter, ids, searchedTo: before.length === 0 ? hits.searchedTo : null });
          },
          signal: abort.signal,
        });
      } catch (error) {
        if (!abort.signal.aborted) setUi({ filterFault: { text: filter, message: messageOf(error), position: null } });
      }
      searching = false;
      restMs = restAfter(performance.now() - startedMs);
      if (changed) again();
    };
    const again = (): void => {
      changed = true;
      if (searching || abort.signal.aborted) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        void search();
      }, restMs);
    };
    const stop = capture.sessionsPulse.subscribe(again);
    void search();
    return () => {
      stop();
      clearTimeout(timer);
      abort.abort();
    };
  }, [capture, filter]);
  return filter === '' ? null : matches;
}

/** How many sessions there are, pass, or have been searched. `hits` null: a filter is set and nothing is known yet. */
function Count(props: {
  readonly book: Capture['book'];
  readonly hits: SessionHits | null;
  readonly searching: boolean;
}) {
  const { book, hits } = props;
  const all = formatCount(book.size);
  if (props.searching) {
    const to = hits?.searchedTo ?? null;
    const searched = to === null ? 0 : book.ids.findLastIndex((id) => Number(id) <= Number(to)) + 1;
    return `searching… ${formatCount(searched)} of ${all}`;
  }
  return hits === null ? all : `${formatCount(hits.ids.length)} of ${all}`;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
