import type { SessionSummary } from '../../../src/contract/session.ts';
import { parseIsoMicros } from './iso-time.ts';

/**
 * What time it is for the server, as the times of its sessions tell. Not this machine's own time: that may be another,
 * or have gone on while the server's stood still.
 */
export class ServerClock {
  /** The newest time that has come: all of one form, so that they compare as texts. */
  #newest = '';
  #cameAtMs = 0;
  readonly #nowMs: () => number;

  /** @param nowMs never goes back */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** These have just come. */
  hear(sessions: readonly SessionSummary[]): void {
    const before = this.#newest;
    for (const { startedAt, closedAt, silence } of sessions) {
      for (const time of [startedAt, closedAt ?? '', silence?.since ?? ''])
        if (time > this.#newest) this.#newest = time;
    }
    if (this.#newest !== before) this.#cameAtMs = this.#nowMs();
  }

  /** The newest time that has come; null before any. */
  get heardUs(): number | null {
    return this.#newest === '' ? null : parseIsoMicros(this.#newest);
  }

  /** At least so late it is now; null where it is not known. */
  get nowUs(): number | null {
    const { heardUs } = this;
    return heardUs === null ? null : heardUs + (this.#nowMs() - this.#cameAtMs) * 1000;
  }
}
