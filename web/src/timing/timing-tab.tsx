import { useMemo, useState, type ReactNode } from 'react';
import type uPlot from 'uplot';
import type { SessionDetail, SessionSummary } from '../../../src/contract/session.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';
import { formatClock, formatFullTime } from '../format/clock.ts';
import { formatCount, formatMs } from '../format/numbers.ts';
import { setUi } from '../state.ts';
import { axis, Chart, timeAxis } from '../statistics/chart.tsx';
import { SURVEY, type Timeline } from '../statistics/survey.ts';
import { useWalk } from '../statistics/use-walk.ts';
import { WalkNote } from '../statistics/walk-note.tsx';
import { useSessionDetail } from '../use-capture.ts';
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
      <WalkNote walk={walk} frameCount={session.frameCount} firstHeldFrame={session.firstHeldFrame} />
      <TimelineChart timeline={walk.sink.timeline} version={walk.sink.frames} />
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

interface Brush {
  readonly fromS: number;
  readonly toS: number;
}

function TimelineChart({ timeline, version }: { readonly timeline: Timeline; readonly version: number }): ReactNode {
  const [brush, setBrush] = useState<Brush | null>(null);
  const data = useMemo<uPlot.AlignedData>(() => {
    const count = version === 0 ? 0 : timeline.length;
    const seconds = timeline.bucketUs / 1e6;
    return [
      Array.from({ length: count }, (_, at) => timeline.startUs / 1e6 + at * seconds),
      Array.from({ length: count }, (_, at) => (timeline.up[at] ?? 0) / seconds),
      Array.from({ length: count }, (_, at) => -(timeline.down[at] ?? 0) / seconds),
    ];
  }, [timeline, version]);
  if (version === 0) return <p className="dim">No frames yet.</p>;
  const within = brush === null ? null : brushed(timeline, brush);
  return (
    <>
      <Chart
        label="Frames a second over time, to the server upwards, to the client downwards"
        heightPx={220}
        data={data}
        optionsKey="timeline"
        options={(color) => ({
          cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false } },
          legend: { show: false },
          scales: { x: { time: true } },
          axes: [
            timeAxis(color),
            axis(color, { size: 64, values: (_plot, values) => values.map((value) => formatCount(Math.abs(value))) }),
          ],
          series: [
            {},
            {
              label: 'to server',
              stroke: color('--up'),
              fill: color('--up-fill'),
              width: 0,
              points: { show: false },
              paths: stepped,
            },
            {
              label: 'to client',
              stroke: color('--accent'),
              fill: color('--accent-fill'),
              width: 0,
              points: { show: false },
              paths: stepped,
            },
          ],
          hooks: {
            setSelect: [
              (plot) => {
                const { left, width } = plot.select;
                setBrush(width < 2 ? null : { fromS: plot.posToVal(left, 'x'), toS: plot.posToVal(left + width, 'x') });
              },
            ],
          },
        })}
      />
      <p className="brush">
        <span className="up">▲ to server</span> <span className="accent-text">▼ to client</span>{' '}
        <span className="dim">frames a second, in steps of {formatMs(timeline.bucketUs / 1000)}.</span>{' '}
        {within === null ? (
          <span className="dim">Drag over the chart to choose a stretch of time.</span>
        ) : (
          <>
            {formatClock(within.fromUs)} – {formatClock(within.toUs)}: <b>{formatCount(within.up)}</b> to server,{' '}
            <b>{formatCount(within.down)}</b> to client.{' '}
            {within.firstFrame >= 0 && (
              <button
                type="button"
                className="button small"
                onClick={() => setUi({ tab: 'frames', frame: within.firstFrame, follow: false })}
              >
                show frame {formatCount(within.firstFrame)}
              </button>
            )}
          </>
        )}
      </p>
    </>
  );
}

const stepped: uPlot.Series.PathBuilder = (plot, seriesIdx, from, to) => {
  const fill = new Path2D();
  const [xs, ys] = [plot.data[0], plot.data[seriesIdx]];
  const zero = plot.valToPos(0, 'y', true);
  const stepPx = xs.length > 1 ? plot.valToPos(xs[1] ?? 0, 'x', true) - plot.valToPos(xs[0] ?? 0, 'x', true) : 8;
  for (let at = from; at <= to; at += 1) {
    const value = ys?.[at] ?? 0;
    if (value === 0) continue;
    const x = plot.valToPos(xs[at] ?? 0, 'x', true);
    const y = plot.valToPos(value, 'y', true);
    fill.rect(x, Math.min(y, zero), Math.max(1, stepPx - (stepPx > 4 ? 1 : 0)), Math.max(1, Math.abs(zero - y)));
  }
  return { fill, stroke: null };
};

function brushed(
  timeline: Timeline,
  brush: Brush,
): { fromUs: number; toUs: number; up: number; down: number; firstFrame: number } {
  const bucketOf = (seconds: number): number => Math.floor((seconds * 1e6 - timeline.startUs) / timeline.bucketUs);
  const from = Math.max(0, bucketOf(brush.fromS));
  const to = Math.min(timeline.length - 1, bucketOf(brush.toS));
  let up = 0;
  let down = 0;
  let firstFrame = -1;
  for (let at = from; at <= to; at += 1) {
    up += timeline.up[at] ?? 0;
    down += timeline.down[at] ?? 0;
    if (firstFrame < 0) firstFrame = timeline.firstFrame[at] ?? -1;
  }
  return { fromUs: brush.fromS * 1e6, toUs: brush.toS * 1e6, up, down, firstFrame };
}
