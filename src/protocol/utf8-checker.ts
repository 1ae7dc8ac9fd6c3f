import { isUtf8 } from 'node:buffer';

/**
 * Tells whether the pieces of a text message are UTF-8 (RFC 3629) together. A character may be cut anywhere; what is
 * wrong is told with the first piece that makes it certain.
 */
export class Utf8Checker {
  /** The first bytes of a character whose rest has not come: 3 at most. */
  readonly #cut = new Uint8Array(4);
  #cutLength = 0;

  /** @returns false if no continuation could make the message valid, or, with `last`, if it is not. Then start anew. */
  check(piece: Uint8Array, last: boolean): boolean {
    let start = 0;
    while (this.#cutLength > 0 && start < piece.length) {
      this.#cut[this.#cutLength++] = piece[start++] as number;
      const state = classify(this.#cut, this.#cutLength);
      if (state === 'invalid') return this.#fail();
      if (state === 'whole') this.#cutLength = 0;
    }
    const cutAt = this.#cutLength > 0 ? piece.length : cutPosition(piece, start);
    if (cutAt > start && !isUtf8(piece.subarray(start, cutAt))) return this.#fail();
    for (let i = cutAt; i < piece.length; i++) this.#cut[this.#cutLength++] = piece[i] as number;
    if (this.#cutLength > 0 && classify(this.#cut, this.#cutLength) === 'invalid') return this.#fail();
    return !(last && this.#cutLength > 0) || this.#fail();
  }

  /** A character is cut: even ASCII cannot follow unseen. */
  get midCharacter(): boolean {
    return this.#cutLength > 0;
  }

  reset(): void {
    this.#cutLength = 0;
  }

  #fail(): false {
    this.#cutLength = 0;
    return false;
  }
}

/** Where the last character of `bytes` starts if it is not whole; else their length. */
function cutPosition(bytes: Uint8Array, start: number): number {
  const end = bytes.length;
  for (let at = end - 1; at >= start && at >= end - 3; at--) {
    const byte = bytes[at] as number;
    if (byte < 0x80) return end;
    if (byte >= 0xc0) return at + sequenceLength(byte) > end ? at : end;
  }
  return end;
}

function sequenceLength(lead: number): number {
  return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
}

/** RFC 3629 §4: which second bytes may follow a lead. */
function classify(bytes: Uint8Array, length: number): 'invalid' | 'cut' | 'whole' {
  const lead = bytes[0] as number;
  if (lead < 0xc2 || lead > 0xf4) return 'invalid';
  if (length > 1) {
    const second = bytes[1] as number;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return 'invalid';
  }
  for (let i = 2; i < length; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) return 'invalid';
  return length === sequenceLength(lead) ? 'whole' : 'cut';
}
