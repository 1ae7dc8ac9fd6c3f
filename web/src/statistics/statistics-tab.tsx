import type { ReactNode } from 'react';
import { opcodeName } from '../../../src/contract/frame.ts';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { formatBytes, formatCount, formatMs, formatRate, formatCounted } from '../format/numbers.ts';
import { SURVEY, type DirectionSurvey } from './survey.ts';
import { useCompression } from './use-compression.ts';
import { useWalk } from './use-walk.ts';
import { WalkNote } from './walk-note.tsx';
import './chart.css';
import './statistics.css';

export default function StatisticsTab({ session }: { readonly session: SessionSummary }): ReactNode {
  const walk = useWalk(session, SURVEY);
  const { up, down, firstUs, lastUs, violated, injected, frames } = walk.sink;
  const spanMs = (lastUs - firstUs) / 1000;
  return (
    <div className="page" tabIndex={0} role="region" aria-label="Statistics">
      <WalkNote walk={walk} frameCount={session.frameCount} />
      <table className="facts">
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">↑ to server</th>
            <th scope="col">↓ to client</th>
            <th scope="col">both</th>
          </tr>
        </thead>
        <tbody>
          <Row name="Frames" values={[up.frames, down.frames, frames]} format={formatCount} />
          <Row name="Payload" values={[up.bytes, down.bytes, up.bytes + down.bytes]} format={formatBytes} />
          <Row
            name="Frames a second"
            values={[up.frames, down.frames, frames].map((count) =>
              spanMs > 0 ? (count / spanMs) * 1000 : Number.NaN,
            )}
            format={formatRate}
          />
          <Row
            name="Payload a second"
            values={[up.bytes, down.bytes, up.bytes + down.bytes].map((bytes) =>
              spanMs > 0 ? (bytes / spanMs) * 1000 : Number.NaN,
            )}
            format={(value) => (Number.isNaN(value) ? '–' : formatBytes(Math.round(value)))}
          />
          <Row
            name="Mean length"
            values={[mean(up), mean(down), frames === 0 ? 0 : (up.bytes + down.bytes) / frames]}
            format={(value) => formatBytes(Math.round(value))}
          />
          <Row
            name="Longest"
            values={[up.largest, down.largest, Math.max(up.largest, down.largest)]}
            format={(value) => formatBytes(value)}
          />
        </tbody>
      </table>
      <p className="statistics-line">
        {Number.isNaN(spanMs) ? 'No frames.' : `From the first to the last frame: ${formatMs(spanMs)}.`}{' '}
        {violated > 0 && <span className="error">{formatCounted(violated, 'frame')} with a violation.</span>}{' '}
        {injected > 0 && `${formatCounted(injected, 'frame')} injected or replaced.`}
      </p>
      <Compression session={session} />
      <h3>Opcodes</h3>
      <Bars
        rows={Array.from({ length: 16 }, (_, code) => ({
          name: `${opcodeName(code)} ${code}`,
          up: up.opcodes[code] ?? 0,
          down: down.opcodes[code] ?? 0,
        })).filter((row) => row.up + row.down > 0)}
      />
      <h3>Payload lengths</h3>
      <Bars rows={sizeRows(up, down)} />
    </div>
  );
}

function mean(side: DirectionSurvey): number {
  return side.frames === 0 ? 0 : side.bytes / side.frames;
}

function Row(props: {
  readonly name: string;
  readonly values: readonly number[];
  readonly format: (value: number) => string;
}): ReactNode {
  return (
    <tr>
      <th scope="row">{props.name}</th>
      {props.values.map((value, at) => (
        <td key={at} className="number">
          {props.format(value)}
        </td>
      ))}
    </tr>
  );
}

interface BarRow {
  readonly name: string;
  readonly up: number;
  readonly down: number;
}

function sizeRows(up: DirectionSurvey, down: DirectionSurvey): readonly BarRow[] {
  const used = up.sizes.map((count, at) => count + (down.sizes[at] ?? 0));
  const last = used.findLastIndex((count) => count > 0);
  const first = used.findIndex((count) => count > 0);
  if (first < 0) return [];
  return Array.from({ length: last - first + 1 }, (_, offset) => {
    const at = first + offset;
    const name = at === 0 ? 'empty' : at === 1 ? '1 B' : `${formatBytes(2 ** (at - 1))} – ${formatBytes(2 ** at - 1)}`;
    return { name, up: up.sizes[at] ?? 0, down: down.sizes[at] ?? 0 };
  });
}

function Bars({ rows }: { readonly rows: readonly BarRow[] }): ReactNode {
  const highest = Math.max(1, ...rows.map((row) => Math.max(row.up, row.down)));
  if (rows.length === 0) return <p className="dim">No frames.</p>;
  return (
    <table className="bars">
      <thead className="visually-hidden">
        <tr>
          <th scope="col">what</th>
          <th scope="col">to server</th>
          <th scope="col">to client</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            <td>
              <Bar count={row.up} share={row.up / highest} sign="↑" kind="up" />
            </td>
            <td>
              <Bar count={row.down} share={row.down / highest} sign="↓" kind="down" />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Bar(props: {
  readonly count: number;
  readonly share: number;
  readonly sign: string;
  readonly kind: string;
}): ReactNode {
  return (
    <span className={`bar ${props.kind}`}>
      <span className="bar-fill" style={{ width: `${props.share * 100}%` }} aria-hidden />
      <span className="bar-count">
        {props.sign} {formatCount(props.count)}
      </span>
    </span>
  );
}

function Compression({ session }: { readonly session: SessionSummary }): ReactNode {
  const sample = useCompression(session);
  const compressing = session.extensions?.includes('permessage-deflate') === true;
  if (!compressing) return <p className="statistics-line dim">No compression was negotiated.</p>;
  if (sample === null) return null;
  if (sample.compressed === 0) {
    return (
      <p className="statistics-line">
        Compression was negotiated, and{' '}
        {sample.lookedAt === 1
          ? 'the first message did not use it'
          : `none of the first ${formatCount(sample.lookedAt)} messages used it`}
        .
      </p>
    );
  }
  return (
    <p className="statistics-line">
      Compression: <b>{(sample.plainBytes / Math.max(1, sample.wireBytes)).toFixed(1)}×</b>,{' '}
      {formatBytes(sample.plainBytes)} went as {formatBytes(sample.wireBytes)}{' '}
      {sample.lookedAt === 1
        ? '(the first message)'
        : `(${formatCount(sample.compressed)} of the first ${formatCount(sample.lookedAt)} messages ${sample.compressed === 1 ? 'is' : 'are'} compressed)`}
      .
    </p>
  );
}
