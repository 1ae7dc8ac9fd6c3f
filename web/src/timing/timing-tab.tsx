import type { ReactNode } from 'react';
import type { SessionDetail, SessionSummary } from '../../../src/contract/session.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';
import { formatClock, formatFullTime } from '../format/clock.ts';
import { formatMs } from '../format/numbers.ts';
import { SURVEY } from '../statistics/survey.ts';
import { useWalk } from '../statistics/use-walk.ts';
import { WalkNote } from '../statistics/walk-note.tsx';
import { useSessionDetail } from '../use-capture.ts';
import { TimelineChart } from './timeline-chart.tsx';
import './timing.css';

export default function TimingTab({ session }: { readonly session: SessionSummary }): ReactNode {
  const { detail, error } = useSessionDetail(session);
  const walk = useWalk(session, SURVEY);
  return (
    <div className="page" tabIndex={0} role="region" aria-label="Timing">
      <h3>Opening</h3>
      {error !== null && <p className="error">{error}</p>}
      {detail !== null && <Opening detail={detail} />}
      <h3>Both directions over time</h3>
      <WalkNote walk={walk} frameCount={session.frameCount} />
      <TimelineChart timeline={walk.sink.timeline} version={walk.sink.frames} end={walk.position} />
    </div>
  );
}

function Opening({ detail }: { readonly detail: SessionDetail }): ReactNode {
  const { timingsMs } = detail;
  const steps: readonly (readonly [name: string, ms: number | null, means: string])[] = [
    ['DNS', timingsMs.dns, 'finding the address'],
    ['TCP', timingsMs.connect, 'connecting to the server'],
    ['TLS', timingsMs.tls, 'handshake with the server'],
    ['Upgrade', timingsMs.upgrade, "from our request's last byte to the server's answer"],
    ['First frame', timingsMs.firstFrame, 'from the opening to the first frame'],
  ];
  const total = Math.max(
    0.001,
    steps.reduce((sum, [, ms]) => sum + (ms ?? 0), 0),
  );
  const starts = steps.map((_, at) => steps.slice(0, at).reduce((sum, [, ms]) => sum + (ms ?? 0), 0));
  return (
    <>
      <table className="waterfall">
        <tbody>
          {steps.map(([name, ms, means], at) => (
            <tr key={name} title={means}>
              <th scope="row">{name}</th>
              <td className="number">{ms === null ? <span className="dim">–</span> : formatMs(ms)}</td>
              <td className="waterfall-track">
                {ms !== null && (
                  <span
                    className={`waterfall-bar step-${at}`}
                    style={{
                      left: `${((starts[at] ?? 0) / total) * 100}%`,
                      width: `${Math.max(0.3, (ms / total) * 100)}%`,
                    }}
                  />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="dim timing-moments">
        began {formatFullTime(parseIsoMicros(detail.startedAt))}
        {detail.openedAt !== null && ` · open ${formatClock(parseIsoMicros(detail.openedAt))}`}
        {detail.closedAt !== null && ` · ended ${formatClock(parseIsoMicros(detail.closedAt))}`}
        {detail.openedAt !== null &&
          detail.closedAt !== null &&
          ` · lasted ${formatMs((parseIsoMicros(detail.closedAt) - parseIsoMicros(detail.openedAt)) / 1000)}`}
      </p>
    </>
  );
}
