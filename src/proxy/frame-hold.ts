import { WaitingBytes, type HeldBytes } from '../protocol/waiting-bytes.ts';

/** A frame longer than this is cut through even so: memory must not grow with it. */
export const MAX_HELD_FRAME_BYTES = 16 * 1024 * 1024;
/** What all sessions together may keep back; a frame that grows beyond it is cut through from there. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024;

/**
 * Strict sessions: keeps the bytes of a frame back until it is whole, so that one that turns out to be wrong at its end
 * was never begun on the other side, where a close frame can then be said.
 */
export class FrameHold {
  readonly #waiting: WaitingBytes;
  #frameBytes = 0;

  constructor(held: HeldBytes) {
    this.#waiting = new WaitingBytes(held, MAX_HELD_BYTES);
  }

  /** A frame is kept back. */
  get holds(): boolean {
    return this.#frameBytes > 0;
  }

  /** Whether a frame of this length, header included, may be kept back from its beginning on; then it is. */
  begin(frameBytes: number): boolean {
    if (frameBytes > MAX_HELD_FRAME_BYTES) return false;
    this.#frameBytes = frameBytes;
    return true;
  }

  /** Keeps a copy of more of it; false where there is no room: then nothing has changed. */
  keep(bytes: Uint8Array): boolean {
    return this.#waiting.append(bytes, this.#frameBytes);
  }

  /** Gives out what was kept, and keeps nothing more. */
  flush(): Buffer {
    this.#frameBytes = 0;
    return this.#waiting.take();
  }
}
