import { FrametapError } from '../errors.ts';
import type { ResponseHead } from '../contract/session.ts';
import { fieldElements, fieldValues } from './head.ts';

/** A chunk-size line or a trailer line longer than this is not read on. */
const MAX_LINE_BYTES = 16 * 1024;
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,13})[\t ]*(?:;.*)?$/;

type State = 'complete' | 'until-close' | 'counted' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers';

/**
 * Finds the end of a response's body in bytes that are passed on as they are, framing and all.
 * The response must answer a GET.
 * @see RFC 9112 §6.3
 */
export class ResponseBody {
  #state: State;
  #left = 0;
  #line = '';
  readonly #onContent: (bytes: Uint8Array) => void;

  /**
   * @param onContent is called with the content, without chunk framing; the bytes are borrowed
   * @throws {FrametapError} `upstream-bad-response` for a length that cannot be relied on
   */
  constructor(head: ResponseHead, onContent: (bytes: Uint8Array) => void) {
    this.#onContent = onContent;
    this.#state = 'until-close';
    if (head.status === 204 || head.status === 304 || head.status < 200) {
      this.#state = 'complete';
      return;
    }
    const codings = fieldElements(head.headers, 'transfer-encoding');
    if (codings.length > 0) {
      if (codings.at(-1)?.toLowerCase() === 'chunked') this.#state = 'chunk-size';
      return;
    }
    const lengths = new Set(
      fieldValues(head.headers, 'content-length').flatMap((value) => value.split(/[\t ]*,[\t ]*/)),
    );
    if (lengths.size === 0) return;
    const [length = ''] = lengths;
    if (lengths.size > 1 || !/^\d{1,15}$/.test(length)) {
      throw new FrametapError('upstream-bad-response', "The server's Content-Length is no single number.");
    }
    this.#left = Number(length);
    this.#state = this.#left === 0 ? 'complete' : 'counted';
  }

  get complete(): boolean {
    return this.#state === 'complete';
  }

  /**
   * Takes the next bytes of the connection and returns how many of them belong to the response.
   * @throws {FrametapError} `upstream-bad-response` for broken chunk framing
   */
  push(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#state !== 'complete') {
      switch (this.#state) {
        case 'until-close':
          this.#onContent(bytes.subarray(at));
          return bytes.length;
        case 'counted':
        case 'chunk-data': {
          const end = Math.min(bytes.length, at + this.#left);
          this.#onContent(bytes.subarray(at, end));
          this.#left -= end - at;
          at = end;
          if (this.#left === 0) this.#state = this.#state === 'counted' ? 'complete' : 'chunk-end';
          break;
        }
        case 'chunk-size':
        case 'chunk-end':
        case 'trailers': {
          const lf = bytes.indexOf(0x0a, at);
          const end = lf < 0 ? bytes.length : lf + 1;
          this.#line += Buffer.from(bytes.subarray(at, end)).toString('latin1');
          at = end;
          if (this.#line.length > MAX_LINE_BYTES) throw this.#broken();
          if (lf >= 0) this.#endLine();
          break;
        }
      }
    }
    return at;
  }

  #endLine(): void {
    const line = this.#line.replace(/\r?\n$/, '');
    this.#line = '';
    if (this.#state === 'trailers') {
      if (line === '') this.#state = 'complete';
    } else if (this.#state === 'chunk-end') {
      if (line !== '') throw this.#broken();
      this.#state = 'chunk-size';
    } else {
      const size = CHUNK_SIZE.exec(line)?.[1];
      if (size === undefined) throw this.#broken();
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? 'trailers' : 'chunk-data';
    }
  }

  #broken(): FrametapError {
    return new FrametapError('upstream-bad-response', "The chunks of the server's body are broken.");
  }
}
