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

const CHUNK_MESSAGES = 1024;
/** What a chunk and a column cost beside their numbers, and all the rest. Measured. */
const CHUNK_COST_BYTES = 400;
const COLUMN_COST_BYTES = 200;
const COST_BYTES = 1000;
/** In a column of lengths: the length is in the map of the long ones. */
const IS_LONG = 0xffff_ffff;

/** Numbers below 2^32, in as few bytes each as the largest needs: one, two or four. */
class Column {
  #values: Uint8Array | Uint16Array | Uint32Array = new Uint8Array(CHUNK_MESSAGES);
  #most = 0xff;

  get bytes(): number {
    return COLUMN_COST_BYTES + this.#values.byteLength;
  }
  get(at: number): number {
    return this.#values[at]!;
  }
  set(at: number, value: number): void {
    if (value > this.#most) {
      this.#most = value > 0xffff ? 0xffff_ffff : 0xffff;
      this.#values = value > 0xffff ? Uint32Array.from(this.#values) : Uint16Array.from(this.#values);
    }
    this.#values[at] = value;
  }
  fill(valueOf: (at: number) => number): this {
    for (let at = 0; at < CHUNK_MESSAGES; at++) this.set(at, valueOf(at));
    return this;
  }
}

/** Messages one after another. What few of them have takes room only where there are such. */
class Chunk {
  /** The message that was written first: its place in the chunk, and its first frame. */
  #firstAt = -1;
  #firstFrame = 0;
  /** How far the first frame of each is from that; null: as far as its place, as it is where each frame is a message. */
  #first: Column | null = null;
  readonly wireLength = new Column();
  readonly flags = new Uint8Array(CHUNK_MESSAGES);
  /** Of messages in more than one frame: how far the last is from the first, and how many there are. */
  further: Column | null = null;
  frameCount: Column | null = null;
  inflatedLength: Column | null = null;

  get bytes(): number {
    const few = [this.#first, this.further, this.frameCount, this.inflatedLength];
    const always = this.wireLength.bytes + CHUNK_MESSAGES + CHUNK_COST_BYTES;
    return few.reduce((sum, column) => sum + (column?.bytes ?? 0), always);
  }

  firstFrame(at: number): number {
    return this.#firstFrame + (this.#first === null ? at - this.#firstAt : this.#first.get(at));
  }
  setFirstFrame(at: number, frame: number): void {
    if (this.#firstAt < 0) {
      this.#firstAt = at;
      this.#firstFrame = frame;
    }
    if (this.#first === null && this.firstFrame(at) === frame) return;
    this.#first ??= new Column().fill((other) => Math.max(0, other - this.#firstAt));
    this.#first.set(at, frame - this.#firstFrame);
  }
}

/** What is remembered of a session's messages: two bytes each, and more where they need it. Positions start at `base`. */
export class MessageColumns {
  /** Positions below this one have been dropped. */
  base = 0;
  /** One above the last position. */
  end = 0;
  readonly #chunks: Chunk[] = [];
  /** Number of the first of them: position / CHUNK_MESSAGES. */
  #firstChunk = 0;
  #chunkBytes = 0;
  readonly #longWire = new Map<number, number>();
  readonly #longInflated = new Map<number, number>();

  get bytes(): number {
    return COST_BYTES + this.#chunkBytes + (this.#longWire.size + this.#longInflated.size) * 64;
  }

  append(): number {
    if (this.#chunks.length === 0) this.#firstChunk = Math.floor(this.end / CHUNK_MESSAGES);
    if (Math.floor(this.end / CHUNK_MESSAGES) === this.#firstChunk + this.#chunks.length) {
      const chunk = new Chunk();
      this.#chunks.push(chunk);
      this.#chunkBytes += chunk.bytes;
    }
    return this.end++;
  }

  write(position: number, direction: Direction, message: AssembledMessage, compressed: boolean): void {
    const chunk = this.#chunkOf(position);
    const at = position % CHUNK_MESSAGES;
    const before = chunk.bytes;
    chunk.setFirstFrame(at, message.firstFrame);
    writeLength(chunk.wireLength, this.#longWire, at, position, message.wireLength);
    if (chunk.further !== null || message.frameCount !== 1 || message.lastFrame !== message.firstFrame) {
      chunk.further ??= new Column();
      chunk.frameCount ??= new Column().fill(() => 1);
      chunk.further.set(at, message.lastFrame - message.firstFrame);
      chunk.frameCount.set(at, message.frameCount);
    }
    this.#chunkBytes += chunk.bytes - before;
    chunk.flags[at] =
      (direction === 'server-to-client' ? MessageFlag.ServerToClient : 0) |
      (message.type === 'binary' ? MessageFlag.Binary : 0) |
      (compressed ? MessageFlag.Compressed : 0) |
      (message.complete ? MessageFlag.Complete : 0);
  }

  firstFrame(position: number): number {
    return this.#chunkOf(position).firstFrame(position % CHUNK_MESSAGES);
  }
  lastFrame(position: number): number {
    return this.firstFrame(position) + (this.#chunkOf(position).further?.get(position % CHUNK_MESSAGES) ?? 0);
  }
  frameCount(position: number): number {
    return this.#chunkOf(position).frameCount?.get(position % CHUNK_MESSAGES) ?? 1;
  }
  wireLength(position: number): number {
    return readLength(this.#chunkOf(position).wireLength, this.#longWire, position);
  }
  flags(position: number): number {
    return this.#chunkOf(position).flags[position % CHUNK_MESSAGES]!;
  }
  addFlag(position: number, flag: number): void {
    this.#chunkOf(position).flags[position % CHUNK_MESSAGES]! |= flag;
  }
  inflatedLength(position: number): number | null {
    const { inflatedLength } = this.#chunkOf(position);
    if (inflatedLength === null || (this.flags(position) & MessageFlag.Inflated) === 0) return null;
    return readLength(inflatedLength, this.#longInflated, position);
  }
  setInflatedLength(position: number, length: number): void {
    const chunk = this.#chunkOf(position);
    const before = chunk.bytes;
    chunk.inflatedLength ??= new Column();
    writeLength(chunk.inflatedLength, this.#longInflated, position % CHUNK_MESSAGES, position, length);
    this.#chunkBytes += chunk.bytes - before;
    this.addFlag(position, MessageFlag.Inflated);
  }

  /** The next position, where there are none: those before it were somebody else's. */
  startAt(position: number): void {
    this.base = this.end = position;
    this.#chunks.length = 0;
    this.#chunkBytes = 0;
  }

  /** The last position whose message starts at or before `frame`, or `base - 1`. */
  positionBefore(frame: number): number {
    let low = this.base;
    let high = this.end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.firstFrame(middle) <= frame) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Forgets the messages that start before `frame`. */
  dropBefore(frame: number): void {
    const base = this.positionBefore(frame - 1) + 1;
    if (base === this.base) return;
    this.base = base;
    for (const map of [this.#longWire, this.#longInflated]) {
      for (const position of map.keys()) if (position < base) map.delete(position);
    }
    const gone = this.#chunks.splice(0, Math.floor(base / CHUNK_MESSAGES) - this.#firstChunk);
    this.#firstChunk += gone.length;
    for (const { bytes } of gone) this.#chunkBytes -= bytes;
  }

  #chunkOf(position: number): Chunk {
    return this.#chunks[Math.floor(position / CHUNK_MESSAGES) - this.#firstChunk]!;
  }
}

function writeLength(column: Column, long: Map<number, number>, at: number, key: number, length: number): void {
  column.set(at, Math.min(length, IS_LONG));
  if (length >= IS_LONG) long.set(key, length);
}
function readLength(column: Column, long: ReadonlyMap<number, number>, position: number): number {
  const length = column.get(position % CHUNK_MESSAGES);
  return length === IS_LONG ? (long.get(position) ?? length) : length;
}

export function violationsOf(flags: number): MessageViolationCode[] {
  const codes: MessageViolationCode[] = [];
  if ((flags & MessageFlag.InflateFailed) !== 0) codes.push('inflate-failed');
  if ((flags & MessageFlag.InvalidUtf8) !== 0) codes.push('message-invalid-utf8');
  return codes;
}
