import { type Entry, Roster } from '../roster.ts';

/** A peer that is not read: the other side does not take what it sent, or it has ended its own. */
export interface StalledPeer {
  readonly stalled: boolean;
  readonly hasBeenReset: boolean;
  resetWhileStalled(): void;
  /** Its place among those that are looked after. */
  watched: Entry<StalledPeer> | null;
}

/** How often they are looked at: a reset is carried within a second. */
const LOOK_EVERY_MS = 100;

/** Looks after all stalled peers, with one timer while there are any. */
export class StalledPeers {
  readonly #peers = new Roster<StalledPeer>();
  #timer: NodeJS.Timeout | null = null;

  /** Until it is no longer stalled, or is let go. */
  watch(peer: StalledPeer): void {
    peer.watched ??= this.#peers.add(peer);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /** Its session is over: many are, well before they are looked at. */
  letGo(peer: StalledPeer): void {
    if (peer.watched !== null) this.#peers.delete(peer.watched);
    peer.watched = null;
  }

  #look(): void {
    for (const peer of this.#peers) {
      const reset = peer.stalled && peer.hasBeenReset;
      if (peer.stalled && !reset) continue;
      this.letGo(peer);
      if (reset) peer.resetWhileStalled();
    }
    if (this.#peers.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
