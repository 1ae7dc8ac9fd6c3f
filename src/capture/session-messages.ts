import { complete, direction, fin, lengthBits, masked, opcode, origin } from '../contract/frame-bits.ts';
import { Direction, Opcode } from '../contract/frame.ts';
import type { SessionDetail } from '../contract/session.ts';
import { negotiatedDeflate, type NegotiatedDeflate } from '../protocol/extensions.ts';
import { MESSAGE_TAIL } from '../protocol/inflater.ts';
import { MessageAssembler, type AssembledMessage } from '../protocol/message-assembler.ts';
import type { CaptureReader, RowCursor } from './capture-reader.ts';
import { InflateCursor, type CompressedMessage, type Inflated } from './inflate-cursor.ts';
import { MessageColumns, MessageFlag } from './message-columns.ts';
import { MessageFrames } from './message-frames.ts';
import type { TimeSlice } from './time-slice.ts';

/** Frames looked at between two looks at the clock. */
const PAGE_FRAMES = 4096;
/** Compressed bytes of one message that are put together to be inflated, at most. */
const MAX_COMPRESSED_BYTES = 64 * 2 ** 20;

/** What is known of one direction while walking its frames. */
interface Side {
  readonly assembler: MessageAssembler;
  /** Position of the message whose last fragment has not come, or -1. */
  open: number;
  /** Position of the newest message, or -1. */
  last: number;
  /** Where in the stream the peer's next frame starts, or -1 where that is not known. */
  streamEnd: number;
  /** Some frames before the next message were missed. */
  gap: boolean;
  inflation: InflateCursor | null;
}

/** The messages of one session, as far as its frames have been walked. Knows structure and lengths, no content. */
export class SessionMessages {
  readonly id: string;
  readonly columns = new MessageColumns();
  readonly frames: MessageFrames;
  readonly #reader: CaptureReader;
  readonly #sides: Readonly<Record<Direction, Side>> = {
    [Direction.ClientToServer]: newSide(),
    [Direction.ServerToClient]: newSide(),
  };
  /** Positions of messages before which frames of their direction were missed. */
  readonly #afterGap = new Set<number>();
  #deflate: NegotiatedDeflate | null = null;
  #nextFrame = 0;
  readonly #maxWindows: number | undefined;

  /** @param options `maxWindows`: of 32 KiB, kept of each direction */
  constructor(reader: CaptureReader, id: string, options: { readonly maxWindows?: number } = {}) {
    this.#reader = reader;
    this.id = id;
    this.frames = new MessageFrames(reader, id, this.columns);
    this.#maxWindows = options.maxWindows;
  }

  get bytes(): number {
    const sides = Object.values(this.#sides);
    return this.columns.bytes + sides.reduce((sum, side) => sum + (side.inflation?.bytes ?? 0), 1024);
  }

  /** Once more of it is evicted, nothing but what is remembered here can inflate what is left. */
  get isNeeded(): boolean {
    const cursors = Object.values(this.#sides).flatMap(({ inflation }) => inflation ?? []);
    if (cursors.length === 0) return false;
    const base = this.columns.positionBefore(this.frames.firstHeld - 1) + 1;
    return cursors.some((cursor) => cursor.reaches(base));
  }

  /** Walks the frames that have come since, and forgets those that have gone. */
  async catchUp(session: SessionDetail, slice: TimeSlice): Promise<void> {
    this.#deflate ??= deflateOf(session);
    for (;;) {
      this.#forgetEvicted();
      const before = this.#nextFrame;
      this.#reader.visitFrames(this.id, before, PAGE_FRAMES, (row) => this.#take(row));
      if (this.#nextFrame === before) break;
      if (slice.over) await slice.pause();
    }
  }

  #forgetEvicted(): void {
    const held = this.#reader.heldFrom(this.id);
    if (held === undefined || held.frame === 0) return;
    this.#forgetBefore(held.frame);
    // What went before it was walked is numbered all the same.
    if (held.frame > this.#nextFrame) this.columns.startAt(held.messages);
  }

  /** Inflates the message at `position` and gives its first `keepBytes` bytes. Only for compressed ones. */
  inflate(position: number, keepBytes: number, slice: TimeSlice): Promise<Inflated> {
    const way = this.frames.direction(position);
    const side = this.#sides[way];
    side.inflation ??= new InflateCursor(this.#sourceOf(way), {
      maxCheckpoints: this.#maxWindows,
      contextTakeover: !(way === Direction.ClientToServer
        ? this.#deflate?.clientNoContextTakeover
        : this.#deflate?.serverNoContextTakeover),
    });
    return side.inflation.inflate(position, keepBytes, slice);
  }

  /** Its last fragment has come, whole. */
  isComplete(position: number): boolean {
    if ((this.columns.flags(position) & MessageFlag.Complete) !== 0) return true;
    const last = this.columns.lastFrame(position);
    let ended = false;
    this.#reader.visitFrames(this.id, last, 1, (row) => {
      ended = row.index === last && fin(row.bits) && complete(row.bits);
    });
    if (ended) this.columns.addFlag(position, MessageFlag.Complete);
    return ended;
  }

  /** Positions of the messages that are still coming in, one a direction at most. */
  get growing(): number[] {
    return Object.values(this.#sides)
      .map(({ last }) => last)
      .filter((position) => position >= this.columns.base && !this.isComplete(position) && this.#mayGrow(position))
      .sort((a, b) => a - b);
  }

  /** The message that the data frame `index` belongs to, or -1. */
  positionOfFrame(index: number): number {
    let way: Direction | null = null;
    this.#reader.visitFrames(this.id, index, 1, (row) => {
      if (row.index === index && opcode(row.bits) <= Opcode.Binary) way = direction(row.bits);
    });
    if (way === null) return -1;
    for (let at = this.columns.positionBefore(index); at >= this.columns.base; at--) {
      if (this.frames.direction(at) === way) return index <= this.columns.lastFrame(at) ? at : -1;
    }
    return -1;
  }

  #take(row: RowCursor): void {
    const way = direction(row.bits);
    const side = this.#sides[way];
    if (row.index > this.#nextFrame) {
      for (const missed of Object.values(this.#sides)) if (missed.streamEnd < 0) this.#cut(missed);
    }
    this.#nextFrame = row.index + 1;
    this.#followStream(side, row);
    const kind = opcode(row.bits);
    if (kind > Opcode.Binary) return;
    side.assembler.push(row.bits, row.index, row.payloadLength, (message) => this.#write(side, way, message));
    if (side.assembler.open === null) side.open = -1;
    else side.open = this.#write(side, way, side.assembler.open);
  }

  /** Where a frame does not start where the one before it ended, some were not recorded or have gone. */
  #followStream(side: Side, row: RowCursor): void {
    if (origin(row.bits) !== 'peer') {
      side.streamEnd = -1;
      return;
    }
    if (side.streamEnd >= 0 && row.streamOffset !== side.streamEnd) this.#cut(side);
    const short = lengthBits(row.bits);
    const header = 2 + (short === 7 ? 0 : short / 8) + (masked(row.bits) ? 4 : 0);
    side.streamEnd = row.streamOffset + header + row.payloadLength;
  }

  #cut(side: Side): void {
    side.assembler.interrupt();
    side.open = -1;
    side.streamEnd = -1;
    side.gap = true;
  }

  #write(side: Side, way: Direction, message: AssembledMessage): number {
    const { columns } = this;
    let position = side.open;
    if (position < columns.base || columns.firstFrame(position) !== message.firstFrame) {
      position = columns.append();
      if (side.gap && message.rsv1) {
        this.#afterGap.add(position);
        side.gap = false;
      }
    }
    columns.write(position, way, message, this.#deflate !== null && message.rsv1);
    side.last = position;
    return position;
  }

  #forgetBefore(frame: number): void {
    this.columns.dropBefore(frame);
    for (const side of Object.values(this.#sides)) {
      if (side.open >= 0 && side.open < this.columns.base) this.#cut(side);
    }
    if (this.#afterGap.size > 0) {
      for (const position of this.#afterGap) if (position < this.columns.base) this.#afterGap.delete(position);
    }
  }

  #sourceOf(way: Direction): ConstructorParameters<typeof InflateCursor>[0] {
    const { columns } = this;
    return {
      get base() {
        return columns.base;
      },
      compressedHere: (position) => this.frames.isCompressed(position) && this.frames.direction(position) === way,
      load: (position, slice) => this.#load(position, slice),
      inflated: (position, outcome) => {
        if (outcome.status === 'whole') columns.setInflatedLength(position, outcome.totalLength);
        if (outcome.status === 'invalid') columns.addFlag(position, MessageFlag.InflateFailed);
        if (outcome.invalidUtf8) columns.addFlag(position, MessageFlag.InvalidUtf8);
      },
    };
  }

  async #load(position: number, slice: TimeSlice): Promise<CompressedMessage | null> {
    const wireLength = this.columns.wireLength(position);
    const message = {
      text: (this.columns.flags(position) & MessageFlag.Binary) === 0,
      afterGap: this.#afterGap.has(position),
    };
    if (!this.isComplete(position)) {
      // What was interrupted will never be whole, and what it did to the window nobody knows.
      return this.#mayGrow(position) ? null : { ...message, payload: null };
    }
    if (wireLength > MAX_COMPRESSED_BYTES) return { ...message, payload: null };
    const payload = new Uint8Array(wireLength + MESSAGE_TAIL.length);
    const copied = await this.frames.copy(position, payload, wireLength, slice);
    return { ...message, payload: copied === wireLength ? payload : null };
  }

  #mayGrow(position: number): boolean {
    if (this.#sides[this.frames.direction(position)].open === position) return true;
    const last = this.columns.lastFrame(position);
    let growing = false;
    this.#reader.visitFrames(this.id, last, 1, (row) => {
      growing = row.index === last && fin(row.bits);
    });
    return growing;
  }
}

function newSide(): Side {
  return { assembler: new MessageAssembler(), open: -1, last: -1, streamEnd: 0, gap: false, inflation: null };
}

function deflateOf(session: SessionDetail): NegotiatedDeflate | null {
  const { serverRequest, serverResponse } = session.handshake;
  const values = (headers: readonly (readonly [string, string])[]): string[] =>
    headers.filter(([name]) => name.toLowerCase() === 'sec-websocket-extensions').map(([, value]) => value);
  if (session.extensions === null || serverRequest === null || serverResponse === null) return null;
  return negotiatedDeflate(values(serverRequest.headers), values(serverResponse.headers)).deflate;
}
