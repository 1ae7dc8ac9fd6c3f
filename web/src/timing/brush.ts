import type { FrameRange } from '../place.ts';
import type { Timeline } from '../statistics/survey.ts';

/** A stretch of time, in seconds: steps of the timeline grow while frames come in. */
export interface Brush {
  readonly fromS: number;
  readonly toS: number;
}

/** What lies in a stretch of a timeline: whole steps of it, from `first` to `last`. */
export interface Brushed {
  readonly first: number;
  readonly last: number;
  readonly fromUs: number;
  readonly toUs: number;
  readonly up: number;
  readonly down: number;
  /** The frames in it, or null where there are none. */
  readonly range: FrameRange | null;
}

/** A time, in seconds, as a step of the timeline. */
export function stepAt(timeline: Timeline, seconds: number): number {
  const step = Math.floor((seconds * 1e6 - timeline.startUs) / timeline.bucketUs);
  return Math.min(Math.max(0, step), timeline.length - 1);
}

/** @param end one past the last frame that the timeline has taken in */
export function brushed(timeline: Timeline, { fromS, toS }: Brush, end: number): Brushed {
  const first = stepAt(timeline, fromS);
  const last = stepAt(timeline, toS);
  let up = 0;
  let down = 0;
  let from = -1;
  for (let at = first; at <= last; at += 1) {
    up += timeline.up[at] ?? 0;
    down += timeline.down[at] ?? 0;
    if (from < 0) from = timeline.firstFrame[at] ?? -1;
  }
  const after = timeline.firstFrame.subarray(last + 1, timeline.length).find((frame) => frame >= 0);
  return {
    first,
    last,
    fromUs: timeline.startUs + first * timeline.bucketUs,
    toUs: timeline.startUs + (last + 1) * timeline.bucketUs,
    up,
    down,
    range: from < 0 ? null : { from, to: after ?? end },
  };
}
