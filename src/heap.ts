import { executionAsyncResource } from 'node:async_hooks';
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/*
 * What is asked of V8. Left alone it lets its heap grow to several times what is alive before it looks for garbage, and
 * an idle process, which makes no garbage, never gives back the memory of what was cleared. And once many sessions have
 * been open for a while, it makes the objects of all later ones in the old generation from the start ("pretenuring"),
 * where the thousands of short ones wait for full collections: a fifth of what a short session costs.
 */

/** By how much the old generation may outgrow what was alive after the last collection. */
const GROWTH_PERCENT = 30;
/** V8's major versions that are known to have the flags: others would complain on stderr. */
const KNOWN_V8 = /^1[1-4]\./;

/** See `keepTicksFast`. */
let keptTick: object | null = null;

/**
 * Keeps one of the objects alive that Node makes for `process.nextTick`, more than a dozen in a short session. A full
 * collection that finds none takes their hidden class away, and for as long as the process lives V8 then makes each of
 * them the slow way: 0.5 us in place of 0.06 (Node 20, 22 and 24). To be called before there is much to collect.
 * @returns the object, once there is one
 */
export function keepTicksFast(): Promise<object> {
  return new Promise((resolve) => {
    process.nextTick(() => {
      keptTick ??= executionAsyncResource();
      resolve(keptTick);
    });
  });
}

/** The young generation, both halves: what Node 20 lets it have. Node 24 would let it have four times as much. */
const YOUNG_BYTES = 32 * 2 ** 20;
/** Whoever gives the capture less than this wants a small process: its young generation costs a short session 5 %. */
const SMALL_BUDGET_BYTES = 128 * 2 ** 20;
const SMALL_YOUNG_BYTES = 8 * 2 ** 20;

/**
 * Keeps V8's heap near what is alive in it: for the whole process, so it is for the program's entry to ask.
 * @param budgetBytes what the capture may take
 */
export function keepHeapSmall(budgetBytes: number): void {
  if (!KNOWN_V8.test(process.versions.v8)) return;
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  setFlagsFromString('--no-allocation-site-pretenuring');
  stopYoungGrowthAt(budgetBytes < SMALL_BUDGET_BYTES ? SMALL_YOUNG_BYTES : YOUNG_BYTES);
}

/** V8 takes the size itself only on Node's own command line; but it asks after each collection by how much to grow. */
function stopYoungGrowthAt(bytes: number): void {
  const observer = new PerformanceObserver(() => {
    if (youngBytes() < bytes) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    observer.disconnect();
  });
  observer.observe({ entryTypes: ['gc'] });
}

export const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;

/** Collects all garbage, which stops the process for some tens of milliseconds. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
  setFlagsFromString('--no-expose-gc');
}

/** Less than this is left to V8. */
const WORTHWHILE_BYTES = 16 * 2 ** 20;
/** From one collection to the next, in milliseconds. */
const REST_MS = 2000;

/** Gives memory back that was let go: buffers outside of V8's heap are freed when a full collection finds them. */
export class Collector {
  readonly #collect: () => void;
  #freedBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #restedMs = -Infinity;

  constructor(collect: () => void = collectGarbage) {
    this.#collect = collect;
  }

  /** So many bytes more were let go. */
  freed(bytes: number): void {
    this.#freedBytes += bytes;
    if (this.#freedBytes < WORTHWHILE_BYTES || this.#timer !== null) return;
    const waitMs = Math.max(0, this.#restedMs - performance.now());
    // In a turn of its own, and never the reason why the process stays alive.
    this.#timer = setTimeout(() => this.#run(), waitMs).unref();
  }

  #run(): void {
    this.#timer = null;
    this.#freedBytes = 0;
    this.#collect();
    this.#restedMs = performance.now() + REST_MS;
  }
}
