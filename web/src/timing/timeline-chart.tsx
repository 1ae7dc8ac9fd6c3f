import { useMemo, useState, type ReactNode } from 'react';
import type uPlot from 'uplot';
import { formatClock } from '../format/clock.ts';
import { formatCount, formatMs } from '../format/numbers.ts';
import { setUi } from '../state.ts';
import { axis, Chart, timeAxis } from '../statistics/chart.tsx';
import type { Timeline } from '../statistics/survey.ts';
import { brushed, type Brush } from './brush.ts';

/** A time of day below the axis is so wide. */
const LABEL_PX = 72;

/** Frames of both directions over time. A stretch of it is chosen with the mouse, or with the two sliders below. */
export function TimelineChart(props: {
  readonly timeline: Timeline;
  readonly version: number;
  /** One past the last frame that is in it. */
  readonly end: number;
}): ReactNode {
  const { timeline, version, end } = props;
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
  const within = brushed(timeline, brush ?? { fromS: -Infinity, toS: Infinity }, end);
  /** The middle of a step: at its edges rounding decides. */
  const middleS = (step: number): number => (timeline.startUs + (step + 0.5) * timeline.bucketUs) / 1e6;
  return (
    <>
      <Chart
        label="Frames a second over time, to the server upwards, to the client downwards"
        heightPx={220}
        data={data}
        optionsKey="timeline"
        selected={brush === null ? null : [within.fromUs / 1e6, within.toUs / 1e6]}
        options={(color) => ({
          cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false } },
          legend: { show: false },
          // The newest step ends where the next would begin.
          scales: { x: { time: true, range: (_plot, min, max) => [min, max + timeline.bucketUs / 1e6] } },
          padding: [null, LABEL_PX / 2, null, null],
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
      <div className="brush-sliders">
        <StepSlider
          label="From"
          step={within.first}
          last={timeline.length - 1}
          timeUs={within.fromUs}
          onChange={(step) => setBrush({ fromS: middleS(step), toS: middleS(Math.max(step, within.last)) })}
        />
        <StepSlider
          label="To"
          step={within.last}
          last={timeline.length - 1}
          timeUs={within.toUs}
          onChange={(step) => setBrush({ fromS: middleS(Math.min(step, within.first)), toS: middleS(step) })}
        />
      </div>
      <p className="brush">
        <span className="up">▲ to server</span> <span className="accent-text">▼ to client</span>{' '}
        <span className="dim">frames a second, in steps of {formatMs(timeline.bucketUs / 1000)}.</span>{' '}
        {brush === null ? (
          <span className="dim">Drag over the chart, or move the sliders, to choose a stretch of time.</span>
        ) : (
          <>
            {formatClock(within.fromUs)} – {formatClock(within.toUs)}: <b>{formatCount(within.up)}</b> to server,{' '}
            <b>{formatCount(within.down)}</b> to client.{' '}
            {within.range !== null && (
              <button
                type="button"
                className="button small"
                onClick={() =>
                  setUi({ tab: 'frames', range: within.range, frame: null, follow: false, framesTop: null })
                }
              >
                show these frames
              </button>
            )}{' '}
            <button type="button" className="button small plain" onClick={() => setBrush(null)}>
              let go
            </button>
          </>
        )}
      </p>
    </>
  );
}

function StepSlider(props: {
  readonly label: string;
  readonly step: number;
  readonly last: number;
  readonly timeUs: number;
  readonly onChange: (step: number) => void;
}): ReactNode {
  return (
    <input
      type="range"
      aria-label={`${props.label} this time`}
      aria-valuetext={formatClock(props.timeUs)}
      min={0}
      max={props.last}
      value={props.step}
      onChange={(event) => props.onChange(Number(event.target.value))}
    />
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
