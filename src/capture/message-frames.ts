import { direction, FrameBit, opcode, origin } from '../contract/frame-bits.ts';
import { Direction, Opcode } from '../contract/frame.ts';
import type { CaptureReader, RowCursor } from './capture-reader.ts';
import type { FrameColumns } from './filter/candidate.ts';
import { MessageFlag, violationsOf, type MessageColumns } from './message-columns.ts';
import type { TimeSlice } from './time-slice.ts';

/** Frames of one message that are visited between two looks at the clock. */
const PAGE_FRAMES = 4096;

/** Beside the bits of a message's frames: it breaks a rule as a message. */
const OF_THE_MESSAGE = 1 << 30;

/** What the frames of a session's messages hold, read from the capture when it is asked for. */
export class MessageFrames {
  readonly #reader: CaptureReader;
  readonly #id: string;
  readonly #columns: MessageColumns;

  constructor(reader: CaptureReader, id: string, columns: MessageColumns) {
    this.#reader = reader;
    this.#id = id;
    this.#columns = columns;
  }

  direction(position: number): Direction {
    return (this.#columns.flags(position) & MessageFlag.ServerToClient) !== 0
      ? Direction.ServerToClient
      : Direction.ClientToServer;
  }

  isCompressed(position: number): boolean {
    return (this.#columns.flags(position) & MessageFlag.Compressed) !== 0;
  }

  /**
   * The payloads of a message's frames one after another, the first `maxBytes` of them, as far as they are held in one
   * piece from the start.
   */
  async payload(
    position: number,
    maxBytes: number,
    slice: TimeSlice,
  ): Promise<{ readonly bytes: Uint8Array; readonly whole: boolean }> {
    const wireLength = this.#columns.wireLength(position);
    const bytes = new Uint8Array(Math.min(maxBytes, wireLength));
    const length = await this.copy(position, bytes, bytes.length, slice);
    return { bytes: bytes.subarray(0, length), whole: length === wireLength };
  }

  /** The first `maxBytes` bytes of a message as on the wire; null where they are no longer held. */
  start(position: number, maxBytes: number): Uint8Array | null {
    const bytes = new Uint8Array(Math.min(maxBytes, this.#columns.wireLength(position)));
    const length = this.copyStart(position, bytes, 0, bytes.length);
    return length > 0 || bytes.length === 0 ? bytes.subarray(0, length) : null;
  }

  /** Writes the first bytes of a message as on the wire, as far as they are held, to `target`; returns how many. */
  copyStart(position: number, target: Uint8Array, at: number, maxBytes: number): number {
    let length = 0;
    this.#visitFramesOf(position, (row) => {
      const wanted = Math.min(maxBytes - length, row.payloadLength);
      const copied = row.copyPreview(target, at + length, wanted);
      length += copied;
      return copied === wanted && length < maxBytes;
    });
    return length;
  }

  /** As `copyStart` to the beginning of `target`, with pauses where there are very many frames. */
  async copy(position: number, target: Uint8Array, maxBytes: number, slice: TimeSlice): Promise<number> {
    if (this.#columns.frameCount(position) <= PAGE_FRAMES) return this.copyStart(position, target, 0, maxBytes);
    const way = this.direction(position);
    const last = this.#columns.lastFrame(position);
    let length = 0;
    let goesOn = true;
    for (let from = this.#columns.firstFrame(position); goesOn && from <= last; from += PAGE_FRAMES) {
      // In a pause they may have been evicted.
      if (this.firstHeld > from) return length;
      const end = Math.min(from + PAGE_FRAMES, last + 1);
      this.#reader.visitFrames(this.#id, from, PAGE_FRAMES, (row) => {
        if (row.index >= end) return false;
        if (direction(row.bits) !== way || opcode(row.bits) > Opcode.Binary) return;
        const wanted = Math.min(maxBytes - length, row.payloadLength);
        const copied = row.copyPreview(target, length, wanted);
        length += copied;
        goesOn = copied === wanted && length < maxBytes;
        return goesOn ? undefined : false;
      });
      if (slice.over) await slice.pause();
    }
    return length;
  }

  /** Index of the session's oldest frame that is held; Infinity where there is none. */
  get firstHeld(): number {
    let first = Infinity;
    this.#reader.visitFrames(this.#id, 0, 1, ({ index }) => void (first = index));
    return first;
  }

  /** What a filter knows of a message without its content: its first frame's bits, and the marks of all of them. */
  outline(position: number): FrameColumns {
    const index = this.#columns.firstFrame(position);
    const compressed = this.isCompressed(position);
    const payloadLength = compressed ? this.#columns.inflatedLength(position) : this.#columns.wireLength(position);
    let bits = 0;
    let violations = violationsOf(this.#columns.flags(position)).length === 0 ? 0 : OF_THE_MESSAGE;
    this.#visitFramesOf(position, (row) => {
      if (row.index === index) ({ bits } = row);
      else if (origin(bits) === 'peer') bits |= row.bits & FrameBit.Origin;
      violations |= row.violations;
      return true;
    });
    return { index, bits, payloadLength, violations };
  }

  #visitFramesOf(position: number, visit: (row: RowCursor) => boolean): void {
    const way = this.direction(position);
    const first = this.#columns.firstFrame(position);
    const last = this.#columns.lastFrame(position);
    let count = this.#columns.frameCount(position);
    this.#reader.visitFrames(this.#id, first, last - first + 1, (row) => {
      if (direction(row.bits) !== way || opcode(row.bits) > Opcode.Binary) return;
      return visit(row) && --count > 0 ? undefined : false;
    });
  }
}
