import { useMemo, type ReactNode } from 'react';
import { axis, Chart, timeAxis } from '../statistics/chart.tsx';
import type { BeatSource } from './heartbeat.ts';
import { LINES, roundTripPoints } from './round-trip-points.ts';

/** Round trips over time, of each side: of ping frames, and, in broken lines, of messages. */
export function RoundTrips(props: { readonly sources: readonly BeatSource[]; readonly version: number }): ReactNode {
  const { sources, version } = props;
  const data = useMemo(() => roundTripPoints(version === 0 ? [] : sources), [sources, version]);
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
          ...LINES.map(({ ofFrames, by }) => ({
            label: `${ofFrames ? 'ping frames' : 'messages'} of the ${by}`,
            stroke: color(by === 'client' ? '--up' : '--accent'),
            width: 1.5,
            ...(ofFrames ? {} : { dash: [5, 4] }),
            points: { size: 4 },
            spanGaps: true,
          })),
        ],
      })}
    />
  );
}
