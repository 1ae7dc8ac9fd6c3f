import type { FrameRow } from '../../../src/contract/frame.ts';
import type { FrameSink } from '../capture/frame-walk.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';

/** Frames that can be part of a heartbeat: asked of the server, so that not every frame need be read. */
export const HEARTBEAT_FILTER = 'op:ping or op:pong or (op:data and len<=64 and text~/^[23]$|ping|pong|heartbeat/i)';

/** One ping and what answered it. */
export interface Beat {
  readonly frame: number;
  readonly timeUs: number;
  readonly by: 'client' | 'server';
  /** `ping`: the frames of RFC 6455 §5.5.2; else a message that an application uses as one. */
  readonly kind: 'ping' | 'application';
  rttMs: number | null;
}

const MAX_BEATS = 20_000;
/** `type: ping` and the like, or a packet of engine.io (2 asks, 3 answers). */
const ASKS = /^2$|["']?\b(?:ping|heartbeat)\b/i;
const ANSWERS = /^3$|["']?\bpong\b/i;

/**
 * Pairs pings with the pongs of the other side. A pong answers the newest ping with its payload and, as RFC 6455
 * §5.5.3 allows, all older ones with it are left unanswered.
 */
export class Heartbeat implements FrameSink {
  readonly beats: Beat[] = [];
  /** Pongs that no ping asked for. */
  unsolicited = 0;
  frames = 0;
  readonly #open = new Map<string, Beat[]>();

  take(rows: readonly FrameRow[]): void {
    for (const row of rows) {
      const timeUs = parseIsoMicros(row.time);
      const by = row.direction === 'client-to-server' ? 'client' : 'server';
      const text = row.preview?.data ?? '';
      this.frames += 1;
      if (row.opcode === 9) this.#ask({ frame: row.index, timeUs, by, kind: 'ping', rttMs: null }, text);
      else if (row.opcode === 10) this.#answer('ping', by, text, timeUs);
      else if (ANSWERS.test(text)) this.#answer('application', by, '', timeUs);
      else if (ASKS.test(text)) this.#ask({ frame: row.index, timeUs, by, kind: 'application', rttMs: null }, '');
    }
  }

  #ask(beat: Beat, payload: string): void {
    if (this.beats.length >= MAX_BEATS) this.beats.splice(0, MAX_BEATS / 2);
    this.beats.push(beat);
    const key = `${beat.kind} ${beat.by} ${payload}`;
    this.#open.set(key, [...(this.#open.get(key) ?? []).slice(-8), beat]);
    if (this.#open.size > 1000) this.#open.delete(this.#open.keys().next().value ?? '');
  }

  #answer(kind: Beat['kind'], by: Beat['by'], payload: string, timeUs: number): void {
    const key = `${kind} ${by === 'client' ? 'server' : 'client'} ${payload}`;
    const open = this.#open.get(key);
    const beat = open?.pop();
    if (beat === undefined) {
      if (kind === 'ping') this.unsolicited += 1;
      return;
    }
    beat.rttMs = (timeUs - beat.timeUs) / 1000;
    this.#open.delete(key);
  }
}

export interface BeatSummary {
  readonly count: number;
  readonly answered: number;
  /** Asked, not answered, and not the last one: that one may still be under way. */
  readonly missed: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
  /** Median time from one ping to the next. */
  readonly everyMs: number | null;
}

export function summarize(beats: readonly Beat[]): BeatSummary {
  const times = beats.flatMap((beat) => (beat.rttMs === null ? [] : [beat.rttMs])).sort((a, b) => a - b);
  const gaps = beats
    .slice(1)
    .map((beat, at) => (beat.timeUs - (beats[at]?.timeUs ?? beat.timeUs)) / 1000)
    .sort((a, b) => a - b);
  return {
    count: beats.length,
    answered: times.length,
    missed: beats.filter((beat, at) => beat.rttMs === null && at < beats.length - 1).length,
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
