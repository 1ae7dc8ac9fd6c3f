import { FrametapError } from './errors.ts';

/** npm passes Ctrl-C on to a child that the terminal has told already: two signals this close are one. */
const SAME_SIGNAL_MS = 300;
const PARENT_CHECK_MS = 500;

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP. A second one ends the process at once with 128 + its number, for
 * a stop that takes too long. With `endsWithParent` also when the parent has gone: npm's shell does not pass SIGTERM on.
 */
export function untilSignal(
  exit: (code: number) => void = (code) => process.exit(code),
  options: { readonly endsWithParent?: boolean } = {},
): {
  readonly signalled: Promise<void>;
  release(): void;
} {
  const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
  type Signal = keyof typeof numbers;
  let firstAt: number | null = null;
  let resolve: () => void;
  const signalled = new Promise<void>((done) => (resolve = done));
  const listener = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (firstAt === null) {
      firstAt = now;
      resolve();
    } else if (now - firstAt > SAME_SIGNAL_MS) {
      exit(128 + numbers[signal as Signal]);
    }
  };
  const names = Object.keys(numbers) as Signal[];
  for (const name of names) process.on(name, listener);
  const parent = process.ppid;
  const watch =
    options.endsWithParent === true ? setInterval(() => process.ppid !== parent && resolve(), PARENT_CHECK_MS) : null;
  watch?.unref();
  return {
    signalled,
    release: () => {
      if (watch !== null) clearInterval(watch);
      for (const name of names) process.off(name, listener);
    },
  };
}

/** One line on stderr for people, and the exit code. */
export function reportError(error: unknown, stderr: NodeJS.WritableStream): number {
  if (error instanceof FrametapError) {
    const stop = /[.!?]$/.test(error.message) ? '' : '.';
    const hint = error.message.includes(error.remedy) ? '' : `${stop} ${error.remedy}`;
    stderr.write(`frametap: ${error.message}${hint} [${error.code}]\n`);
    return error.exitCode;
  }
  stderr.write(`frametap: ${error instanceof Error ? (error.stack ?? error.message) : String(error)} [internal]\n`);
  return 70;
}
