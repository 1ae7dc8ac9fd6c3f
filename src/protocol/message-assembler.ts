import { complete, fin, opcode, rsv1 } from '../contract/frame-bits.ts';
import { Opcode } from '../contract/frame.ts';

/** The frames that one message came in. */
export interface AssembledMessage {
  readonly type: 'text' | 'binary';
  readonly firstFrame: number;
  readonly lastFrame: number;
  readonly frameCount: number;
  /** Sum of the frames' payload lengths. */
  readonly wireLength: number;
  /** RSV1 of its first frame: compressed, where permessage-deflate was negotiated (RFC 7692 §6.1). */
  readonly rsv1: boolean;
  /** Its last fragment has come, whole. */
  readonly complete: boolean;
}

/**
 * Puts the frames of one direction together to messages (RFC 6455 §5.4), by their headers alone.
 *
 * Control frames between fragments do not disturb. What breaks the protocol is tolerated: a continuation without a
 * message and a data frame with a reserved opcode belong to no message; a text or binary frame that comes before the
 * fragmented message has ended ends that message, incomplete.
 */
export class MessageAssembler {
  #open: { -readonly [key in keyof AssembledMessage]: AssembledMessage[key] } | null = null;

  /** The message whose last fragment has not come. */
  get open(): AssembledMessage | null {
    return this.#open;
  }

  /** Frames were missed: what is open stays incomplete, and continuations have nothing to continue. */
  interrupt(): void {
    this.#open = null;
  }

  /**
   * Takes the next frame of this direction.
   * @param bits as in contract/frame-bits.ts
   * @param ended called for each message that this frame ends: the one that it interrupts, and its own
   */
  push(bits: number, index: number, payloadLength: number, ended: (message: AssembledMessage) => void): void {
    const kind = opcode(bits);
    if (kind > Opcode.Binary) return;
    if (kind === Opcode.Continuation) {
      if (this.#open === null) return;
      this.#open.lastFrame = index;
      this.#open.frameCount++;
      this.#open.wireLength += payloadLength;
    } else {
      if (this.#open !== null) ended(this.#open);
      this.#open = {
        type: kind === Opcode.Text ? 'text' : 'binary',
        firstFrame: index,
        lastFrame: index,
        frameCount: 1,
        wireLength: payloadLength,
        rsv1: rsv1(bits),
        complete: false,
      };
    }
    if (!fin(bits)) return;
    const whole = { ...this.#open, complete: complete(bits) };
    this.#open = null;
    ended(whole);
  }
}
