import type { Socket } from 'node:net';
import { Recorder, type RecorderHost } from '../capture/recorder.ts';
import { SessionRecord } from '../capture/session-record.ts';
import { Opcode } from '../contract/frame.ts';
import type { Ending } from '../contract/session.ts';
import { violationCodes, ViolationBit } from '../contract/violations.ts';
import { ERRORS } from '../errors.ts';
import { type ClosePayload, closePayload } from '../protocol/closing.ts';
import { parseExtensions } from '../protocol/extensions.ts';
import { buildFrame } from '../protocol/frame-header.ts';
import { FrameScanner, type NegotiatedExtensions } from '../protocol/frame-scanner.ts';
import { failureOf } from '../protocol/failure.ts';
import { PayloadChecker } from '../protocol/payload-checker.ts';
import { PLAIN_AREA } from './frame-kernel.ts';
import type { Leg } from './leg.ts';
import { Relay, type RelayGround, type RelayListener } from './relay.ts';
import { readInto } from './shared-read.ts';
import type { StartSession } from './upgrade.ts';

/** What all sessions share. */
export interface SessionGround extends RelayGround {
  readonly store: RecorderHost;
  readonly strict: boolean;
  /** Sessions that run, for the end. */
  readonly running: Set<Session>;
}

/** A TLS socket reports a write as done a turn later: only a queue above this means that the peer is slow. */
const TLS_WAIT_LIMIT_BYTES = 256 * 1024;
/** How long a peer that was sent everything may take to read it before a reset is carried to it. */
const RESET_GRACE_MS = 10;
/** A reset is carried within a second, also to a peer that reads nothing. */
const RESET_LIMIT_MS = 1000;
/** After a failed session's close frame: time for the peers to read it and to end. */
const FAILURE_GRACE_MS = 1000;

/** One client-server pair after its opening handshake: two relays, and the carrying of each end to the other side. */
export class Session implements RelayListener {
  readonly #ground: SessionGround;
  readonly #record: SessionRecord;
  readonly #client: Side;
  readonly #server: Side;
  #failing = 0;
  #over = false;

  constructor(
    ground: SessionGround,
    start: {
      readonly record: SessionRecord;
      readonly client: Leg;
      readonly server: Leg;
      readonly extensions: NegotiatedExtensions;
    },
  ) {
    this.#ground = ground;
    this.#record = start.record;
    this.#client = new Side('client', start.client);
    this.#server = new Side('server', start.server);
    const area = ground.kernel.bytes.subarray(0, PLAIN_AREA);
    this.#client.share(area);
    this.#server.share(area);
    this.#client.relay = this.#relay(this.#client, this.#server, start.extensions);
    this.#server.relay = this.#relay(this.#server, this.#client, start.extensions);
  }

  /** Starts both relays. */
  run(): void {
    this.#ground.running.add(this);
    this.#run(this.#client);
    this.#run(this.#server);
  }

  #relay(source: Side, target: Side, extensions: NegotiatedExtensions): Relay {
    const fromClient = source.party === 'client';
    return new Relay({
      ground: this.#ground,
      rekeys: fromClient,
      scanner: new FrameScanner({ masked: fromClient, extensions }),
      recorder: new Recorder(this.#ground.store, this.#record, fromClient ? 'client-to-server' : 'server-to-client'),
      checker: new PayloadChecker({ readsText: extensions !== 'unknown' }),
      listener: this,
      source: source.socket,
      target: target.socket,
      waitLimitBytes: target.socket === target.raw ? 0 : TLS_WAIT_LIMIT_BYTES,
    });
  }

  #run(side: Side): void {
    const { socket, relay } = side;
    socket.on('end', () => this.#ended(side, 'fin'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#ended(side, endingOf(error)));
    socket.on('close', () => this.#ended(side, 'reset'));
    if (side.rest.length > 0) relay?.receiveElsewhere(side.rest);
    if (!side.shared) socket.on('data', (chunk: Buffer) => relay?.receiveElsewhere(chunk));
    socket.resume();
  }

  /** A side sends no more. Everything it sent has been handed to the other side's queue. */
  #ended(side: Side, how: Ending): void {
    if (this.#over || (side.ended && how === 'fin')) return;
    const other = this.#other(side);
    if (!side.ended) {
      side.ended = true;
      side.relay?.end();
      this.#record.ended(side.party, how);
    }
    if (how === 'fin') {
      other.socket.end();
      if (other.ended) this.#finish();
      return;
    }
    other.ended = true;
    this.#finish();
    this.#reset(other);
  }

  /** Resets a side's connection once what was sent to it has left, within a second. */
  #reset(side: Side): void {
    const { socket, raw } = side;
    const until = Date.now() + RESET_LIMIT_MS;
    const resetWhenWritten = (): void => {
      if (raw.destroyed) return;
      if (socket.writableLength > 0 && Date.now() < until) {
        setTimeout(resetWhenWritten, RESET_GRACE_MS);
        return;
      }
      raw.resetAndDestroy();
      socket.destroy();
    };
    setTimeout(resetWhenWritten, RESET_GRACE_MS);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#ground.running.delete(this);
    this.#record.closed();
    for (const side of [this.#client, this.#server]) {
      // What waits for a side is given back when its connection is gone: it may still be written until then.
      const towards = this.#other(side).relay;
      if (side.socket.destroyed) towards?.free();
      else side.socket.once('close', () => towards?.free());
      towards?.stop();
    }
  }

  #other(side: Side): Side {
    return side === this.#client ? this.#server : this.#client;
  }

  // What the relays tell

  closeFramePassed(relay: Relay, close: ClosePayload): void {
    const by = relay === this.#client.relay ? 'client' : 'server';
    this.#record.closeFrame(by, { code: close.code, reason: close.reason, frameIndex: relay.recorder.lastIndex });
  }

  violated(_relay: Relay, bits: number): boolean {
    this.#failing = this.#ground.strict ? bits : bits & ViolationBit['length-out-of-range'];
    return this.#failing !== 0;
  }

  /** Closes both legs with a close frame that names the section, then ends them. */
  stopped(relay: Relay): void {
    const by = relay === this.#client.relay ? 'client' : 'server';
    const { code, reason } = failureOf(this.#failing);
    const lost = (this.#failing & ViolationBit['length-out-of-range']) !== 0;
    const errorCode = lost ? 'length-out-of-range' : 'protocol-violation';
    const message = `${ERRORS[errorCode].means} ${violationCodes(this.#failing).join(', ')}: ${reason}`;
    this.#record.fault({ by, code: errorCode, message });
    const payload = closePayload(code, reason);
    this.#endBoth(buildFrame(Opcode.Close, payload, this.#ground.keys.next()), buildFrame(Opcode.Close, payload));
  }

  /** Ends both connections without a word, as a proxy that is being stopped. */
  stop(): void {
    this.#endBoth(null, null);
  }

  #endBoth(toServer: Uint8Array | null, toClient: Uint8Array | null): void {
    if (this.#over) return;
    this.#record.ended('proxy', 'fin');
    this.#client.ended = this.#server.ended = true;
    for (const [side, frame] of [
      [this.#client, toClient],
      [this.#server, toServer],
    ] as const) {
      const { socket } = side;
      if (socket.destroyed) continue;
      if (frame !== null && this.#other(side).relay?.atFrameBoundary === true) socket.write(frame);
      socket.end();
      const limit = setTimeout(() => socket.destroy(), FAILURE_GRACE_MS);
      limit.unref();
      socket.once('close', () => clearTimeout(limit));
      socket.resume();
    }
    this.#finish();
  }
}

/** One leg as the session drives it. */
class Side {
  readonly party: 'client' | 'server';
  socket: Socket;
  raw: Socket;
  readonly rest: Uint8Array;
  relay: Relay | null = null;
  /** Sends no more. */
  ended = false;
  /** Reads into the shared area. */
  shared = false;

  constructor(party: 'client' | 'server', leg: Leg) {
    this.party = party;
    this.socket = leg.socket;
    this.raw = leg.raw;
    this.rest = leg.rest;
  }

  share(area: Uint8Array): void {
    if (this.socket !== this.raw) return;
    const moved = readInto(this.socket, area, (length) => this.relay?.receive(length));
    if (moved === null) return;
    this.socket = this.raw = moved;
    this.shared = true;
  }
}

function endingOf(error: NodeJS.ErrnoException): Ending {
  return error.code === 'ETIMEDOUT' ? 'timeout' : 'reset';
}

/** What the opening handshake calls when it has succeeded. */
export function createSessionStarter(ground: SessionGround): StartSession {
  return ({ recorder, client, server, deflate }) => {
    if (!(recorder instanceof SessionRecord)) throw new TypeError('the session was not opened in this store');
    const chosen = parseExtensions(recorder.extensions === null ? [] : [recorder.extensions]);
    const known = chosen !== null && chosen.every((extension) => extension.name === 'permessage-deflate');
    const extensions = !known ? 'unknown' : deflate === null ? 'none' : 'permessage-deflate';
    new Session(ground, { record: recorder, client, server, extensions }).run();
  };
}
