import type { AssembledMessage } from '../protocol/message-assembler.ts';
import type { Direction } from '../contract/frame.ts';
import type { MessageViolationCode } from '../contract/violations.ts';

export const MessageFlag = {
  ServerToClient: 1,
  Binary: 2,
  Compressed: 4,
  Complete: 8,
  InflateFailed: 16,
  InvalidUtf8: 32,
  /** Its inflated length is known. */
  Inflated: 64,
} as const;

const FIRST_CAPACITY = 256;
const BYTES_PER_MESSAGE = 4 * 5 + 1;
/** What it costs beside: six arrays, two maps and this. Measured. */
const COST_BYTES = 1500;
/** In a column of lengths: the length is in the map of the long ones. */
const IS_LONG = 0xffff_ffff;

/** What is remembered of a session's messages: 21 bytes each. Positions start at `base`. */
export class MessageColumns {
  /** Positions below this one have been dropped. */
  base = 0;
  /** One above the last position. */
  end = 0;
  /** The position that stands first in the arrays: what has been dropped is moved out of them only now and then. */
  #origin = 0;
  #first = new Uint32Array(FIRST_CAPACITY);
  #last = new Uint32Array(FIRST_CAPACITY);
  #frameCount = new Uint32Array(FIRST_CAPACITY);
  #wireLength = new Uint32Array(FIRST_CAPACITY);
  #inflatedLength = new Uint32Array(FIRST_CAPACITY);
  #flags = new Uint8Array(FIRST_CAPACITY);
  readonly #longWire = new Map<number, number>();
  readonly #longInflated = new Map<number, number>();

  get bytes(): number {
    return COST_BYTES + this.#first.length * BYTES_PER_MESSAGE + (this.#longWire.size + this.#longInflated.size) * 64;
  }

  append(): number {
    const { length } = this.#first;
    if (this.end - this.#origin === length) this.#resize(this.base - this.#origin > length / 4 ? length : 2 * length);
    this.#flags[this.end - this.#origin] = 0;
    return this.end++;
  }

  write(position: number, direction: Direction, message: AssembledMessage, compressed: boolean): void {
    const at = position - this.#origin;
    this.#first[at] = message.firstFrame;
    this.#last[at] = message.lastFrame;
    this.#frameCount[at] = message.frameCount;
    writeLength(this.#wireLength, this.#longWire, at, position, message.wireLength);
    this.#flags[at] =
      (direction === 'server-to-client' ? MessageFlag.ServerToClient : 0) |
      (message.type === 'binary' ? MessageFlag.Binary : 0) |
      (compressed ? MessageFlag.Compressed : 0) |
      (message.complete ? MessageFlag.Complete : 0);
  }

  firstFrame(position: number): number {
    return this.#first[position - this.#origin]!;
  }
  lastFrame(position: number): number {
    return this.#last[position - this.#origin]!;
  }
  frameCount(position: number): number {
    return this.#frameCount[position - this.#origin]!;
  }
  wireLength(position: number): number {
    return readLength(this.#wireLength, this.#longWire, position - this.#origin, position);
  }
  flags(position: number): number {
    return this.#flags[position - this.#origin]!;
  }
  addFlag(position: number, flag: number): void {
    this.#flags[position - this.#origin]! |= flag;
  }
  inflatedLength(position: number): number | null {
    if ((this.flags(position) & MessageFlag.Inflated) === 0) return null;
    return readLength(this.#inflatedLength, this.#longInflated, position - this.#origin, position);
  }
  setInflatedLength(position: number, length: number): void {
    writeLength(this.#inflatedLength, this.#longInflated, position - this.#origin, position, length);
    this.addFlag(position, MessageFlag.Inflated);
  }

  /** The next position, where there are none: those before it were somebody else's. */
  startAt(position: number): void {
    this.base = this.end = this.#origin = position;
  }

  /** The last position whose message starts at or before `frame`, or `base - 1`. */
  positionBefore(frame: number): number {
    let low = this.base - this.#origin;
    let high = this.end - this.#origin;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#first[middle]! <= frame) low = middle + 1;
      else high = middle;
    }
    return this.#origin + low - 1;
  }

  /** Forgets the messages that start before `frame`. */
  dropBefore(frame: number): void {
    const base = this.positionBefore(frame - 1) + 1;
    if (base === this.base) return;
    this.base = base;
    for (const map of [this.#longWire, this.#longInflated]) {
      for (const position of map.keys()) if (position < base) map.delete(position);
    }
    const kept = this.end - base;
    let capacity = this.#first.length;
    while (capacity > FIRST_CAPACITY && capacity / 4 > kept) capacity /= 2;
    // A copy each time that half of them have gone, not at each eviction.
    if (capacity < this.#first.length || base - this.#origin > this.#first.length / 2) this.#resize(capacity);
  }

  /** Moves what is left into arrays of this capacity. */
  #resize(capacity: number): void {
    const from = this.base - this.#origin;
    const to = this.end - this.#origin;
    const move = (column: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> => {
      const moved = new Uint32Array(capacity);
      moved.set(column.subarray(from, to));
      return moved;
    };
    this.#first = move(this.#first);
    this.#last = move(this.#last);
    this.#frameCount = move(this.#frameCount);
    this.#wireLength = move(this.#wireLength);
    this.#inflatedLength = move(this.#inflatedLength);
    const flags = new Uint8Array(capacity);
    flags.set(this.#flags.subarray(from, to));
    this.#flags = flags;
    this.#origin = this.base;
  }
}

function writeLength(column: Uint32Array, long: Map<number, number>, at: number, key: number, length: number): void {
  if (length < IS_LONG) column[at] = length;
  else {
    column[at] = IS_LONG;
    long.set(key, length);
  }
}
function readLength(column: Uint32Array, long: ReadonlyMap<number, number>, at: number, key: number): number {
  const length = column[at]!;
  return length === IS_LONG ? (long.get(key) ?? length) : length;
}

export function violationsOf(flags: number): MessageViolationCode[] {
  const codes: MessageViolationCode[] = [];
  if ((flags & MessageFlag.InflateFailed) !== 0) codes.push('inflate-failed');
  if ((flags & MessageFlag.InvalidUtf8) !== 0) codes.push('message-invalid-utf8');
  return codes;
}
