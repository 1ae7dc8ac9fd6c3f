import { Opcode } from '../contract/frame.ts';
import { ViolationBit } from '../contract/violations.ts';
import { type ClosePayload, readClosePayload } from './closing.ts';
import type { FrameScanner } from './frame-scanner.ts';
import { Utf8Checker } from './utf8-checker.ts';

const MAX_CLOSE_BYTES = 125;

/**
 * Looks into the payloads that have rules of their own: uncompressed text (RFC 6455 §8.1) and close frames (§5.5.1).
 * One a direction; it sees every piece that the scanner finds.
 */
export class PayloadChecker {
  /** The close frame that the last piece completed. */
  close: ClosePayload | null = null;
  readonly #readsText: boolean;
  /** Made at the first text that is not ASCII. */
  #utf8: Utf8Checker | null = null;
  #textFailed = false;
  #closeBytes: Uint8Array | null = null;
  #closeLength = 0;
  /** For a reason that is longer than it may be, and so than what is kept of it. */
  #reason: Utf8Checker | null = null;
  #reasonFailed = false;

  /** @param options.readsText false where an extension that we do not know may have changed the payloads */
  constructor(options: { readonly readsText: boolean }) {
    this.#readsText = options.readsText;
  }

  /** Whether the piece that `scanner` stands at has rules of its own; its bytes may still be proved harmless. */
  concerns(scanner: FrameScanner): boolean {
    const opcode = scanner.byte0 & 0x0f;
    if (opcode > 2) return opcode === Opcode.Close;
    if (scanner.messageOpcode !== Opcode.Text || scanner.messageCompressed || !this.#readsText) return false;
    if (opcode === Opcode.Text && scanner.begins) {
      this.#utf8?.reset();
      this.#textFailed = false;
    }
    return true;
  }

  /** Text whose bytes are all below 0x80 needs no look, unless a character is cut before it. */
  acceptsAscii(scanner: FrameScanner): boolean {
    return (scanner.byte0 & 0x0f) < 3 && this.#utf8?.midCharacter !== true;
  }

  /** Checks the unmasked bytes of a piece that it is concerned with; returns bits of contract/violations.ts. */
  check(scanner: FrameScanner, bytes: Uint8Array): number {
    this.close = null;
    if ((scanner.byte0 & 0x0f) === Opcode.Close) return this.#checkClose(scanner, bytes);
    if (this.#textFailed) return 0;
    const last = scanner.ends && (scanner.byte0 & 0x80) !== 0;
    this.#utf8 ??= new Utf8Checker();
    if (this.#utf8.check(bytes, last)) return 0;
    this.#textFailed = true;
    return ViolationBit['invalid-utf8'];
  }

  #checkClose(scanner: FrameScanner, bytes: Uint8Array): number {
    if (scanner.begins) {
      this.#closeLength = 0;
      this.#reason = scanner.payloadLength > MAX_CLOSE_BYTES ? new Utf8Checker() : null;
      this.#reasonFailed = false;
    }
    if (this.#reason !== null && !this.#reasonFailed) {
      const part = bytes.subarray(Math.max(0, 2 - scanner.payloadDone));
      this.#reasonFailed = !this.#reason.check(part, scanner.ends);
    }
    let kept = bytes.subarray(0, MAX_CLOSE_BYTES - this.#closeLength);
    // Most often it comes whole, and nothing has to be put together.
    if (!scanner.begins || !scanner.ends) {
      this.#closeBytes ??= new Uint8Array(MAX_CLOSE_BYTES);
      this.#closeBytes.set(kept, this.#closeLength);
      this.#closeLength += kept.length;
      if (!scanner.ends) return 0;
      kept = this.#closeBytes.subarray(0, this.#closeLength);
    }
    this.close = readClosePayload(kept, this.#reason === null ? undefined : { isUtf8: !this.#reasonFailed });
    return this.close.violations;
  }
}
