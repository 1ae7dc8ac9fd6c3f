import { createContext, Script } from 'node:vm';
import { FilterError } from './filter-error.ts';

/** One payload may keep a regular expression busy for so long, in milliseconds. */
const TIME_LIMIT_MS = 100;
/** How often a payload is tried on a machine that gives the process less than half of that time. */
const MAX_TRIES = 5;

/**
 * A regular expression that cannot hang the process: it runs under a time limit of `node:vm`, which ends it even in
 * the middle of backtracking. The guard costs 0.12 ms a call, so many texts are tried in one: 0.7 microseconds each.
 */
export class GuardedRegex {
  readonly #pattern: RegExp;
  readonly #position: number;

  /** @param position of the pattern in its filter, for errors */
  constructor(pattern: RegExp, position: number) {
    this.#pattern = pattern;
    this.#position = position;
  }

  /** @throws {FilterError} if the pattern takes too long */
  test(text: string): boolean {
    return this.testAll([text])[0] === true;
  }

  /**
   * @returns for each text whether it matches
   * @throws {FilterError} if the pattern takes too long on one of them
   */
  testAll(texts: readonly string[]): boolean[] {
    const pattern = this.#pattern;
    let results = within(TIME_LIMIT_MS, () => texts.map((text) => pattern.test(text)));
    // All together took too long: that may be their number.
    results ??= texts.map((text) => {
      const result = inOwnTime(() => pattern.test(text));
      if (result === null) {
        const sentence = `this regular expression took over ${TIME_LIMIT_MS} ms on one payload of ${text.length} characters`;
        throw new FilterError(this.#position, `${sentence}; expected one that backtracks less`);
      }
      return result;
    });
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
