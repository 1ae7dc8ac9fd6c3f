import type { FrameRow } from '../../../src/contract/frame.ts';
import type { FrameSink } from '../capture/frame-walk.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';

const MAX_BUCKETS = 512;
const FIRST_BUCKET_US = 1000;
const SIZE_CLASSES = 40;

export interface DirectionSurvey {
  frames: number;
  bytes: number;
  largest: number;
  /** Frames by opcode 0-15. */
  readonly opcodes: Uint32Array;
  /** Frames whose length has this many bits: class 0 is empty, class k is 2^(k-1) to 2^k - 1 bytes. */
  readonly sizes: Uint32Array;
}

/** Frames in equal stretches of time; the stretches double when they would become too many. */
export interface Timeline {
  startUs: number;
  bucketUs: number;
  length: number;
  readonly up: Float64Array;
  readonly down: Float64Array;
  /** Index of the first frame in each stretch, -1 where there is none. */
  readonly firstFrame: Float64Array;
}

/** Adds up frames: counts, sizes, opcodes and rates, in bounded memory whatever their number. */
export class Survey implements FrameSink {
  readonly up = newDirection();
  readonly down = newDirection();
  readonly timeline: Timeline = {
    startUs: Number.NaN,
    bucketUs: FIRST_BUCKET_US,
    length: 0,
    up: new Float64Array(MAX_BUCKETS),
    down: new Float64Array(MAX_BUCKETS),
    firstFrame: new Float64Array(MAX_BUCKETS).fill(-1),
  };
  frames = 0;
  violated = 0;
  injected = 0;
  firstUs = Number.NaN;
  lastUs = Number.NaN;

  take(rows: readonly FrameRow[]): void {
    for (const row of rows) {
      const timeUs = parseIsoMicros(row.time);
      const up = row.direction === 'client-to-server';
      const side = up ? this.up : this.down;
      this.frames += 1;
      side.frames += 1;
      side.bytes += row.payloadLength;
      side.largest = Math.max(side.largest, row.payloadLength);
      side.opcodes[row.opcode] = (side.opcodes[row.opcode] ?? 0) + 1;
      const size = sizeClass(row.payloadLength);
      side.sizes[size] = (side.sizes[size] ?? 0) + 1;
      if (row.violations.length > 0) this.violated += 1;
      if (row.origin !== 'peer') this.injected += 1;
      if (Number.isNaN(this.firstUs)) this.firstUs = timeUs;
      this.lastUs = Number.isNaN(this.lastUs) ? timeUs : Math.max(this.lastUs, timeUs);
      this.#place(timeUs, up, row.index);
    }
  }

  /** All that is counted is known from a frame's start, but for what shows at its end. */
  complete(row: FrameRow, before: FrameRow): void {
    if (before.violations.length === 0 && row.violations.length > 0) this.violated += 1;
  }

  #place(timeUs: number, up: boolean, index: number): void {
    const { timeline } = this;
    if (Number.isNaN(timeline.startUs)) timeline.startUs = timeUs;
    const since = Math.max(0, timeUs - timeline.startUs);
    while (since / timeline.bucketUs >= MAX_BUCKETS) this.#halve();
    const bucket = Math.floor(since / timeline.bucketUs);
    const counts = up ? timeline.up : timeline.down;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    if ((timeline.firstFrame[bucket] ?? -1) < 0) timeline.firstFrame[bucket] = index;
    timeline.length = Math.max(timeline.length, bucket + 1);
  }

  #halve(): void {
    const { timeline } = this;
    for (let at = 0; at < MAX_BUCKETS / 2; at += 1) {
      for (const counts of [timeline.up, timeline.down]) {
        counts[at] = (counts[at * 2] ?? 0) + (counts[at * 2 + 1] ?? 0);
      }
      const first = timeline.firstFrame[at * 2] ?? -1;
      timeline.firstFrame[at] = first >= 0 ? first : (timeline.firstFrame[at * 2 + 1] ?? -1);
    }
    timeline.up.fill(0, MAX_BUCKETS / 2);
    timeline.down.fill(0, MAX_BUCKETS / 2);
    timeline.firstFrame.fill(-1, MAX_BUCKETS / 2);
    timeline.bucketUs *= 2;
    timeline.length = Math.ceil(timeline.length / 2);
  }
}

function newDirection(): DirectionSurvey {
  return { frames: 0, bytes: 0, largest: 0, opcodes: new Uint32Array(16), sizes: new Uint32Array(SIZE_CLASSES) };
}

export function sizeClass(bytes: number): number {
  return bytes <= 0 ? 0 : Math.min(SIZE_CLASSES - 1, Math.floor(Math.log2(bytes)) + 1);
}

/** How a walk over the frames makes and knows a survey: one for all views that show it. */
export const SURVEY = {
  make: () => new Survey(),
  is: (sink: FrameSink): sink is Survey => sink instanceof Survey,
  name: 'survey',
};
