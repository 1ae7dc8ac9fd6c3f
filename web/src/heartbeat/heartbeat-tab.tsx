import { useMemo, type ReactNode } from 'react';
import type uPlot from 'uplot';
import type { SessionSummary } from '../../../src/contract/session.ts';
import type { FrameSink } from '../capture/frame-walk.ts';
import { SilenceLine } from '../close/silence-line.tsx';
import { formatCount, formatMs } from '../format/numbers.ts';
import { setUi } from '../state.ts';
import { axis, Chart, timeAxis } from '../statistics/chart.tsx';
import { useWalk } from '../statistics/use-walk.ts';
import { WalkNote } from '../statistics/walk-note.tsx';
import { Heartbeat, HEARTBEAT_FILTER, summarize, type Beat, type BeatSummary } from './heartbeat.ts';

const HEARTBEAT = {
  make: () => new Heartbeat(),
  is: (sink: FrameSink): sink is Heartbeat => sink instanceof Heartbeat,
  name: 'heartbeat',
};
const SOURCES: readonly (readonly [Beat['kind'], Beat['by'], string])[] = [
  ['ping', 'client', 'ping frames of the client'],
  ['ping', 'server', 'ping frames of the server'],
  ['application', 'client', "the client's own pings, as messages"],
  ['application', 'server', "the server's own pings, as messages"],
];

export default function HeartbeatTab({ session }: { readonly session: SessionSummary }): ReactNode {
  const walk = useWalk(session, HEARTBEAT, HEARTBEAT_FILTER);
  const { beats, unsolicited, frames } = walk.sink;
  const kinds = useMemo(
    () =>
      SOURCES.map(([kind, by, name]) => ({
        name,
        summary: summarize(frames === 0 ? [] : beats.filter((beat) => beat.kind === kind && beat.by === by)),
      })).filter(({ summary }) => summary.count > 0),
    [beats, frames],
  );
  const missed = beats.filter((beat, at) => beat.rttMs === null && at < beats.length - 4);
  return (
    <div className="page" tabIndex={0} role="region" aria-label="Heartbeat">
      <WalkNote walk={walk} frameCount={session.frameCount} firstHeldFrame={session.firstHeldFrame} />
      {kinds.length === 0 ? (
        <p className="dim">No pings: neither ping frames nor messages that look like them.</p>
      ) : (
        <>
          <h3>From ping to pong</h3>
          <RoundTrips beats={beats} version={frames} />
          <Summaries kinds={kinds} />
        </>
      )}
      {unsolicited > 0 && (
        <p className="statistics-line">
          {formatCount(unsolicited)} pongs came without a ping: a one-way heartbeat (RFC 6455 §5.5.3).
        </p>
      )}
      {missed.length > 0 && (
        <>
          <h3>Without an answer</h3>
          <p>
            {missed.slice(-20).map((beat) => (
              <button
                key={beat.frame}
                type="button"
                className="button small plain error"
                onClick={() => setUi({ tab: 'frames', frame: beat.frame, follow: false })}
              >
                frame {formatCount(beat.frame)}
              </button>
            ))}
          </p>
        </>
      )}
      {session.close !== null && <SilenceLine session={session} />}
    </div>
  );
}

function Summaries({
  kinds,
}: {
  readonly kinds: readonly { readonly name: string; readonly summary: BeatSummary }[];
}): ReactNode {
  const ms = (value: number | null): string => (value === null ? '–' : formatMs(value));
  return (
    <table className="facts">
      <thead>
        <tr>
          {['', 'sent', 'answered', 'missed', 'median', '90 %', '99 %', 'longest', 'every'].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {kinds.map(({ name, summary }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="number">{formatCount(summary.count)}</td>
            <td className="number">{formatCount(summary.answered)}</td>
            <td className={`number ${summary.missed > 0 ? 'error' : ''}`}>{formatCount(summary.missed)}</td>
            <td className="number">{ms(summary.p50Ms)}</td>
            <td className="number">{ms(summary.p90Ms)}</td>
            <td className="number">{ms(summary.p99Ms)}</td>
            <td className="number">{ms(summary.maxMs)}</td>
            <td className="number">{ms(summary.everyMs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RoundTrips({ beats, version }: { readonly beats: readonly Beat[]; readonly version: number }): ReactNode {
  const data = useMemo<uPlot.AlignedData>(() => {
    const answered = version === 0 ? [] : beats.filter((beat) => beat.rttMs !== null);
    return [
      answered.map((beat) => beat.timeUs / 1e6),
      answered.map((beat) => (beat.kind === 'ping' ? beat.rttMs : null)),
      answered.map((beat) => (beat.kind === 'application' ? beat.rttMs : null)),
    ];
  }, [beats, version]);
  return (
    <Chart
      label="Round trips from ping to pong over time, in milliseconds"
      heightPx={200}
      data={data}
      optionsKey="round-trips"
      options={(color) => ({
        legend: { show: false },
        cursor: { drag: { x: true, y: false } },
        scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.15)] } },
        axes: [
          timeAxis(color),
          axis(color, { size: 64, values: (_plot, values) => values.map((value) => `${value} ms`) }),
        ],
        series: [
          {},
          { label: 'ping frames', stroke: color('--accent'), width: 1.5, points: { size: 4 } },
          { label: 'messages', stroke: color('--control'), width: 1.5, points: { size: 4 } },
        ],
      })}
    />
  );
}
