/** Tells those who listen that the log has grown, once a turn of the event loop. */
export class Hub {
  readonly #listeners = new Set<() => void>();
  /** They will be told at the end of this turn. */
  pending = false;

  /** @returns the way to stop it */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(): void {
    if (this.pending) return;
    this.pending = true;
    setImmediate(() => {
      this.pending = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
