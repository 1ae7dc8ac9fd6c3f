import { MemoryStore } from '../../src/capture/memory-store.ts';
import { Recorder } from '../../src/capture/recorder.ts';
import type { SessionRecord } from '../../src/capture/session-record.ts';
import type { Direction } from '../../src/contract/frame.ts';
import { FrameScanner, Scan } from '../../src/protocol/frame-scanner.ts';

export interface TestFrame {
  readonly direction?: Direction;
  /** FIN, RSV bits and opcode. */
  readonly firstByte?: number;
  readonly payload?: Uint8Array | string;
}

export const FIN = 0x80;
export const RSV1 = 0x40;

/** A capture in which sessions are written frame by frame, the way that the relay writes them. */
export class RecordedCapture {
  readonly store: MemoryStore;
  #timeUs = 1_700_000_000_000_000;

  constructor(options: { readonly budgetBytes?: number; readonly payloadLimitBytes?: number } = {}) {
    this.store = new MemoryStore({
      budgetBytes: options.budgetBytes ?? 512 * 2 ** 20,
      payloadLimitBytes: options.payloadLimitBytes ?? 64 * 2 ** 20,
      clock: () => (this.#timeUs += 1000),
    });
  }

  session(
    options: { readonly url?: string; readonly extensions?: string; readonly subprotocol?: string } = {},
  ): RecordedSession {
    const record = this.store.openSession({
      url: options.url ?? 'wss://echo.example/chat',
      mode: 'connect',
      client: { address: '127.0.0.1', port: 50000 },
    });
    const extensions = options.extensions ?? null;
    const headers = extensions === null ? [] : [['Sec-WebSocket-Extensions', extensions] as const];
    record.update({
      extensions,
      subprotocol: options.subprotocol ?? null,
      status: 101,
      handshake: {
        serverRequest: { method: 'GET', target: '/chat', httpVersion: '1.1', headers },
        serverResponse: { httpVersion: '1.1', status: 101, reason: 'Switching Protocols', headers },
      },
    });
    record.opened();
    return new RecordedSession(this.store, record, extensions !== null);
  }
}

interface Line {
  readonly scanner: FrameScanner;
  readonly recorder: Recorder;
  offset: number;
}

export class RecordedSession {
  readonly id: string;
  readonly record: SessionRecord;
  readonly #lines: Readonly<Record<Direction, Line>>;

  constructor(store: MemoryStore, record: SessionRecord, deflate: boolean) {
    this.record = record;
    this.id = record.id;
    const line = (direction: Direction): Line => ({
      scanner: new FrameScanner({
        masked: direction === 'client-to-server',
        extensions: deflate ? 'permessage-deflate' : 'none',
      }),
      recorder: new Recorder(store, record, direction),
      offset: 0,
    });
    this.#lines = { 'client-to-server': line('client-to-server'), 'server-to-client': line('server-to-client') };
  }

  /** Writes frames, each in a chunk of its own; server to client and one text frame unless told. */
  frames(...frames: readonly TestFrame[]): this {
    for (const { direction = 'server-to-client', firstByte = FIN | 1, payload = '' } of frames) {
      const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
      this.bytes(direction, frame(firstByte, bytes, direction === 'client-to-server'));
    }
    return this;
  }

  /** Writes bytes as one chunk. */
  bytes(direction: Direction, bytes: Uint8Array): this {
    const line = this.#lines[direction];
    line.recorder.keepChunk(bytes, bytes.length, line.scanner);
    line.scanner.begin(line.offset);
    while (line.scanner.next(bytes, bytes.length) === Scan.Piece) line.recorder.record(line.scanner);
    line.recorder.endChunk(line.scanner);
    line.offset += bytes.length;
    return this;
  }
}

function frame(firstByte: number, payload: Uint8Array, masked: boolean): Uint8Array {
  const n = payload.length;
  const lengthForm = n < 126 ? [n] : n < 65536 ? [126, n >> 8, n & 255] : [127, 0, 0, 0, 0, ...bigEndian(n)];
  const key = [0x37, 0xfa, 0x21, 0x3d];
  const header = [
    firstByte,
    (lengthForm[0] as number) | (masked ? 0x80 : 0),
    ...lengthForm.slice(1),
    ...(masked ? key : []),
  ];
  const bytes = new Uint8Array(header.length + n);
  bytes.set(header);
  bytes.set(payload, header.length);
  if (masked) for (let i = 0; i < n; i++) bytes[header.length + i]! ^= key[i & 3] as number;
  return bytes;
}

const bigEndian = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
