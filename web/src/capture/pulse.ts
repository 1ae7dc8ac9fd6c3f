/**
 * Tells React that something outside it has changed, once per animation frame at most.
 * `version` is what `useSyncExternalStore` compares.
 */
export class Pulse {
  #version = 0;
  #scheduled = false;
  readonly #listeners = new Set<() => void>();
  readonly #nextFrame: (callback: () => void) => void;

  constructor(nextFrame: (callback: () => void) => void = (callback) => void requestAnimationFrame(callback)) {
    this.#nextFrame = nextFrame;
  }

  readonly version = (): number => this.#version;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  beat(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#nextFrame(() => {
      this.#scheduled = false;
      this.#version += 1;
      for (const listener of this.#listeners) listener();
    });
  }
}
