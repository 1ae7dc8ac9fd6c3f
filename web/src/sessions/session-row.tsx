import { Circle, CircleDashed, CircleX, TriangleAlert } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { formatClock } from '../format/clock.ts';
import { formatShort } from '../format/numbers.ts';
import { visibleLine } from '../format/visible-text.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';
import { openSession } from '../state.ts';
import { closeMark, splitUrl } from './session-words.ts';

interface SessionRowProps {
  readonly session: SessionSummary;
  readonly spark: readonly number[] | null;
  readonly selected: boolean;
  readonly topPx: number;
  readonly heightPx: number;
  readonly position: number;
  readonly count: number;
}

export const SessionRow = memo(function SessionRow(props: SessionRowProps): ReactNode {
  const { session } = props;
  const url = splitUrl(session.url);
  const mark = closeMark(session);
  const violations = session.violationCount === 1 ? 'violation' : 'violations';
  return (
    <div
      id={`session-${session.id}`}
      role="option"
      aria-selected={props.selected}
      aria-posinset={props.position + 1}
      aria-setsize={props.count}
      className={`vrow session-row ${session.state} ${props.selected ? 'selected' : ''}`}
      style={{ top: props.topPx, height: props.heightPx }}
      title={visibleLine(session.url)}
      onClick={() => openSession(session.id)}
    >
      <span className="session-line">
        <StateSign state={session.state} />
        <span className="visually-hidden">{session.state} </span>
        <span className="session-url">
          <span className="session-host">
            <span className="scheme">{url.scheme}</span>
            <b>{visibleLine(url.host)}</b>
          </span>
          <b className="session-port">{url.port}</b>
          <span className="session-path">{visibleLine(url.path)}</span>
        </span>
        <span className="session-count">
          {session.state === 'failed' ? (session.status ?? 'failed') : formatShort(session.frameCount)}
          {session.state !== 'failed' && <span className="visually-hidden"> frames</span>}
        </span>
      </span>
      <span className="session-line">
        <span className="session-meta">
          {formatClock(parseIsoMicros(session.startedAt)).slice(0, 8)}
          {mark !== null && (
            <span className={mark.unusual ? 'error' : ''} title={mark.title}>
              {' '}
              · {mark.text}
            </span>
          )}
          {mark === null && session.subprotocol !== null && ` · ${visibleLine(session.subprotocol)}`}
        </span>
        <span className="session-marks">
          {session.violationCount > 0 && (
            <span className="error" title={`${session.violationCount} ${violations} of the protocol`}>
              <TriangleAlert size={11} aria-hidden /> {formatShort(session.violationCount)}
              <span className="visually-hidden"> {violations}</span>
            </span>
          )}
          {props.spark !== null && <Spark counts={props.spark} />}
        </span>
      </span>
    </div>
  );
});

export function StateSign({ state }: { readonly state: SessionSummary['state'] }): ReactNode {
  switch (state) {
    case 'open':
      return <Circle size={10} className="sign open" fill="currentColor" aria-hidden />;
    case 'connecting':
      return <CircleDashed size={11} className="sign connecting" aria-hidden />;
    case 'closed':
      return <Circle size={10} className="sign closed" aria-hidden />;
    case 'failed':
      return <CircleX size={12} className="sign failed" aria-hidden />;
  }
}

function Spark({ counts }: { readonly counts: readonly number[] }): ReactNode {
  const highest = Math.max(...counts, 1);
  const path = counts
    .map((count, at) => (count === 0 ? '' : `M${at * 2 + 0.5} 13v${-Math.max(1, Math.round((count / highest) * 12))}`))
    .join('');
  return (
    <svg className="spark" width="60" height="14" viewBox="0 0 60 14" aria-hidden>
      <path d={path} />
    </svg>
  );
}
