/** A peer that is not read: the other side does not take what it sent, or it has ended its own. */
export interface StalledPeer {
  readonly stalled: boolean;
  readonly hasBeenReset: boolean;
  resetWhileStalled(): void;
}

/** How often they are looked at: a reset is carried within a second. */
const LOOK_EVERY_MS = 100;

/** Looks after all stalled peers, with one timer while there are any. */
export class StalledPeers {
  readonly #peers = new Set<StalledPeer>();
  #timer: NodeJS.Timeout | null = null;

  /** Until it is no longer stalled. */
  watch(peer: StalledPeer): void {
    this.#peers.add(peer);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  #look(): void {
    for (const peer of this.#peers) {
      const reset = peer.stalled && peer.hasBeenReset;
      if (peer.stalled && !reset) continue;
      this.#peers.delete(peer);
      if (reset) peer.resetWhileStalled();
    }
    if (this.#peers.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
