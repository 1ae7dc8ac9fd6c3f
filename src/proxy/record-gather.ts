import { type FrameKernel, GATHER_AREA, READ_BYTES, RECORD_AREA, RECORD_BYTES } from './frame-kernel.ts';

/** Takes the first `length` bytes of the kernel's read area. */
interface Taker {
  receive(length: number): void;
}

/**
 * TLS is read record by record, 16 KiB at most, many in one turn of the event loop. Put together, they cost one write
 * and its system call (a third of the CPU of a TLS session). One for all sessions: it holds bytes of one direction at a
 * time, and hands them on when another's come, and at the end of the turn.
 */
export class RecordGather {
  /** Where a record is delivered. */
  readonly area: Uint8Array;
  readonly #bytes: Uint8Array;
  #taker: Taker | null = null;
  #length = 0;
  #scheduled = false;

  constructor({ bytes }: FrameKernel) {
    this.#bytes = bytes;
    this.area = bytes.subarray(RECORD_AREA, RECORD_AREA + RECORD_BYTES);
  }

  /** Takes a record of `length` bytes from `area`. */
  take(taker: Taker, length: number): void {
    if (this.#taker !== taker || this.#length + length > READ_BYTES) this.flush();
    this.#taker = taker;
    this.#bytes.copyWithin(GATHER_AREA + this.#length, RECORD_AREA, RECORD_AREA + length);
    this.#length += length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#turnEnds);
  }

  /** Hands on what is there, if it is of this direction or none is named. */
  flush(of: Taker | null = this.#taker): void {
    const taker = this.#taker;
    if (taker === null || taker !== of) return;
    this.#bytes.copyWithin(0, GATHER_AREA, GATHER_AREA + this.#length);
    const length = this.#length;
    this.#taker = null;
    this.#length = 0;
    taker.receive(length);
  }

  readonly #turnEnds = (): void => {
    this.#scheduled = false;
    this.flush();
  };
}
