import type { BeatSource } from './heartbeat.ts';
import type { Beat } from './open-pings.ts';
import type { BeatKind } from './ping-sign.ts';

export interface BeatSummary {
  readonly count: number;
  /** Says that it lives and is never answered: then nothing is missing either. */
  readonly oneWay: boolean;
  readonly answered: number;
  /** Not answered though a later one was sent, or the session is over: the last one may still be under way. */
  readonly missed: readonly Beat[];
  /** Of the missed, how many a pong to a later ping stands for as well (RFC 6455 §5.5.3). */
  readonly covered: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
  /** Median time from one to the next. */
  readonly everyMs: number | null;
}

/** @param options.over the session has ended: no answer comes any more */
export function summarize({ kind, beats }: BeatSource, options: { readonly over: boolean }): BeatSummary {
  const times = beats.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs])).sort((a, b) => a - b);
  const gaps = beats
    .slice(1)
    .map((beat, at) => (beat.timeUs - (beats[at]?.timeUs ?? beat.timeUs)) / 1000)
    .sort((a, b) => a - b);
  // A pong must answer a ping; what an application does is its own affair.
  const oneWay = kind !== 'ping' && times.length === 0;
  const missed = oneWay
    ? []
    : beats.filter(({ rttMs }, at) => rttMs === null && (options.over || at < beats.length - 1));
  const lastAnswered = beats.findLast(({ rttMs }) => rttMs !== null)?.frame ?? -1;
  return {
    count: beats.length,
    oneWay,
    answered: times.length,
    missed,
    covered: kind === 'ping' ? missed.filter(({ frame }) => frame < lastAnswered).length : 0,
    p50Ms: percentile(times, 0.5),
    p90Ms: percentile(times, 0.9),
    p99Ms: percentile(times, 0.99),
    maxMs: times.at(-1) ?? null,
    everyMs: percentile(gaps, 0.5),
  };
}

/** Nearest rank, of ascending values. */
export function percentile(ascending: readonly number[], share: number): number | null {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? null;
}

const NAMES: Readonly<Record<BeatKind, string>> = {
  ping: 'ping frames',
  'engine.io': 'engine.io pings',
  mqtt: 'MQTT pings',
  stomp: 'STOMP heart-beats',
  signalr: 'SignalR pings',
  message: 'ping messages',
};

/** `ping frames of the client` */
export function sourceName({ kind, by }: Pick<BeatSource, 'kind' | 'by'>): string {
  return `${NAMES[kind]} of the ${by}`;
}
