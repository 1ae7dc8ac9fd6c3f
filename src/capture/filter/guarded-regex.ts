import { createContext, Script } from 'node:vm';
import type { TimeSlice } from '../time-slice.ts';
import { FilterError } from './filter-error.ts';

/** One payload may keep a regular expression busy for so long, in milliseconds. */
const TIME_LIMIT_MS = 100;
/** The same for many together: a megabyte takes some 10 ms. */
const BATCH_LIMIT_MS = 25;
/** A batch that took too long is cut into so many. */
const CUT = 16;
/** How often a payload is tried on a machine that gives the process less than half of its time. */
const MAX_TRIES = 5;

/**
 * A regular expression that cannot hang the process: it runs under a time limit of `node:vm`, which ends it even in
 * the middle of backtracking. The guard costs 0.12 ms a call, so many texts are tried in one: 0.7 microseconds each.
 */
export class GuardedRegex {
  readonly #pattern: RegExp;
  readonly #position: number;
  /** Texts tried at once: fewer where they took long. */
  #batch = Infinity;

  /** @param position of the pattern in its filter, for errors */
  constructor(pattern: RegExp, position: number) {
    this.#pattern = pattern;
    this.#position = position;
  }

  /** @throws {FilterError} if the pattern takes too long */
  test(text: string): boolean {
    const result = inOwnTime(() => this.#pattern.test(text));
    if (result !== null) return result;
    const sentence = `this regular expression took over ${TIME_LIMIT_MS} ms on one payload of ${text.length} characters`;
    throw new FilterError(this.#position, `${sentence}; expected one that backtracks less`);
  }

  /**
   * Others have their turn between two batches: what holds them up is one payload at most.
   * @returns for each text whether it matches
   * @throws {FilterError} if the pattern takes too long on one of them
   */
  async testAll(texts: readonly string[], slice: TimeSlice): Promise<boolean[]> {
    const results: boolean[] = [];
    while (results.length < texts.length) {
      if (slice.over) await slice.pause();
      const batch = texts.slice(results.length, results.length + this.#batch);
      const [first] = batch;
      if (first !== undefined && batch.length === 1) {
        const beganMs = performance.now();
        results.push(this.test(first));
        if (performance.now() - beganMs < 1) this.#batch *= 2;
        continue;
      }
      const matched = within(BATCH_LIMIT_MS, () => batch.map((text) => this.#pattern.test(text)));
      if (matched === null) this.#batch = Math.ceil(batch.length / CUT);
      else {
        results.push(...matched);
        if (batch.length === this.#batch) this.#batch *= 2;
      }
    }
    return results;
  }
}

const sandbox: { run: () => unknown } = { run: () => undefined };
const context = createContext(sandbox);
const call = new Script('run()');

/** The limit is one of the clock on the wall: where the process had to wait meanwhile, the work has another try. */
function inOwnTime<T>(work: () => T): T | null {
  for (let tries = 1; ; tries++) {
    const before = process.cpuUsage();
    const result = within(TIME_LIMIT_MS, work);
    const { user, system } = process.cpuUsage(before);
    if (result !== null || tries === MAX_TRIES || user + system > TIME_LIMIT_MS * 500) return result;
  }
}

/** What `work` returns, or null if it was not done in time. */
function within<T>(timeout: number, work: () => T): T | null {
  sandbox.run = work;
  try {
    return call.runInContext(context, { timeout }) as T;
  } catch (error) {
    // The error belongs to the context: it is no instance of our Error.
    if ((error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return null;
    throw error;
  } finally {
    sandbox.run = () => undefined;
  }
}
