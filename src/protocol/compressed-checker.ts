import { Opcode } from '../contract/frame.ts';
import { MESSAGE_VIOLATIONS, type MessageViolationCode } from '../contract/violations.ts';
import type { FrameScanner } from './frame-scanner.ts';
import { Inflater, MESSAGE_TAIL } from './inflater.ts';
import { Utf8Checker } from './utf8-checker.ts';
import { WaitingBytes, type HeldBytes } from './waiting-bytes.ts';

/** Bytes of one message, compressed or inflated, past which an endpoint would refuse it. */
export const MAX_STRICT_MESSAGE_BYTES = 64 * 2 ** 20;
/** What all sessions together may hold for a message to grow: then even one that could be longer is too big. */
const MAX_HELD_BYTES = 128 * 2 ** 20;

/** Why a connection is failed for a compressed message (RFC 6455 §7.4.1). */
export interface CompressedFailure {
  readonly code: 1007 | 1009;
  readonly reason: string;
  /** Null where no rule was broken: the message is only too big. */
  readonly violation: MessageViolationCode | null;
}

/**
 * Inflates each compressed message of one direction as it passes, as an endpoint of permessage-deflate would (RFC 7692
 * §7.2.2). Only for strict sessions: it costs many times what it costs to forward the message.
 */
export class CompressedChecker {
  readonly #takeover: boolean;
  readonly #inflater = new Inflater();
  readonly #utf8 = new Utf8Checker();
  readonly #message: WaitingBytes;

  constructor(options: { readonly contextTakeover: boolean; readonly held: HeldBytes }) {
    this.#takeover = options.contextTakeover;
    this.#message = new WaitingBytes(options.held, MAX_HELD_BYTES);
  }

  /** Whether the piece that `scanner` stands at is part of a compressed message. */
  concerns(scanner: FrameScanner): boolean {
    return scanner.messageCompressed && (scanner.byte0 & 0x0f) <= Opcode.Binary;
  }

  /** Takes the unmasked bytes of a piece (copied where they have to wait); null while nothing is wrong. */
  check(scanner: FrameScanner, bytes: Uint8Array): CompressedFailure | null {
    if (scanner.begins && (scanner.byte0 & 0x0f) !== Opcode.Continuation) this.forget();
    if (this.#message.length + bytes.length > MAX_STRICT_MESSAGE_BYTES || !this.#take(bytes)) return tooBig();
    if (!scanner.ends || (scanner.byte0 & 0x80) === 0) return null;
    if (!this.#take(MESSAGE_TAIL)) return tooBig();
    const message = this.#message.take();
    // Not what RFC 7692 §7.2.3.6 makes of an empty message, but it means nothing else.
    return message.length === MESSAGE_TAIL.length ? null : this.#inflate(message, scanner.messageOpcode);
  }

  #inflate(message: Uint8Array, opcode: number): CompressedFailure | null {
    if (!this.#takeover) this.#inflater.reset();
    this.#inflater.begin(message);
    let total = 0;
    for (;;) {
      const result = this.#inflater.step();
      const { output } = this.#inflater;
      total += output.length;
      if (total > MAX_STRICT_MESSAGE_BYTES) return tooBig();
      if (result === 'invalid' || result === 'needs-history') return broken('inflate-failed');
      const done = result === 'done';
      if (opcode === Opcode.Text && !this.#utf8.check(output, done)) return broken('message-invalid-utf8');
      if (done) return null;
    }
  }

  /** Holds nothing of an unfinished message any more. */
  forget(): void {
    this.#message.take();
  }

  #take(bytes: Uint8Array): boolean {
    return this.#message.append(bytes, MAX_STRICT_MESSAGE_BYTES + MESSAGE_TAIL.length);
  }
}

function broken(violation: MessageViolationCode): CompressedFailure {
  const section = MESSAGE_VIOLATIONS.find(([code]) => code === violation)?.[1] ?? '';
  return { code: 1007, reason: `${violation} (${section})`, violation };
}

function tooBig(): CompressedFailure {
  return { code: 1009, reason: 'message too big (RFC 6455 §7.4.1)', violation: null };
}
