import { type Entry, Roster } from '../roster.ts';

/** Many deadlines of one length on one timer: a connection costs no timer of its own. */
export class Deadlines {
  readonly #lengthMs: number;
  /** In order of expiry, because all have the same length. */
  readonly #running = new Roster<PendingDeadline>();
  #timer: NodeJS.Timeout | null = null;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Calls `onExpired` once after the length of time, unless it is cancelled before. */
  start(onExpired: () => void): Deadline {
    const deadline = this.#running.add({ expiresAtMs: performance.now() + this.#lengthMs, onExpired });
    if (this.#timer === null) this.#arm(this.#lengthMs);
    return deadline;
  }

  /** Does nothing for a deadline that has passed or was cancelled. */
  cancel(deadline: Deadline): void {
    this.#running.delete(deadline);
  }

  #arm(delayMs: number): void {
    // Never the reason why a process stays alive.
    this.#timer = setTimeout(() => this.#expire(), delayMs).unref();
  }

  #expire(): void {
    this.#timer = null;
    const nowMs = performance.now();
    for (let deadline = this.#running.first; deadline !== null; deadline = this.#running.first) {
      const { expiresAtMs, onExpired } = deadline.item;
      if (expiresAtMs > nowMs) {
        this.#arm(Math.ceil(expiresAtMs - nowMs));
        return;
      }
      this.#running.delete(deadline);
      onExpired();
    }
  }
}

export type Deadline = Entry<PendingDeadline>;

interface PendingDeadline {
  readonly expiresAtMs: number;
  readonly onExpired: () => void;
}
