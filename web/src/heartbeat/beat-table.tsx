import type { ReactNode } from 'react';
import { formatCount, formatMs } from '../format/numbers.ts';
import type { BeatSummary } from './beat-summary.ts';

export interface NamedSummary {
  readonly name: string;
  readonly summary: BeatSummary;
}

const HEADS = ['', 'sent', 'answered', 'missed', 'median', '90 %', '99 %', 'longest', 'every'] as const;

/** What each kind of ping came to: one row for each side that sends them. */
export function BeatTable({ rows }: { readonly rows: readonly NamedSummary[] }): ReactNode {
  return (
    <table className="facts beats">
      <thead>
        <tr>
          {HEADS.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, summary }) => (
          <tr key={name}>
            <th scope="row">
              {name}
              {summary.oneWay && ', one-way'}
            </th>
            <Count value={summary.count} />
            <Count value={summary.oneWay ? null : summary.answered} />
            <Count value={summary.oneWay ? null : summary.missed.length} wrong={summary.missed.length > 0} />
            {[summary.p50Ms, summary.p90Ms, summary.p99Ms, summary.maxMs, summary.everyMs].map((ms, at) => (
              <td key={HEADS[at + 4]} className="number">
                {ms === null ? '–' : formatMs(ms)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Count({ value, wrong = false }: { readonly value: number | null; readonly wrong?: boolean }): ReactNode {
  return <td className={`number ${wrong ? 'error' : ''}`}>{value === null ? '–' : formatCount(value)}</td>;
}
