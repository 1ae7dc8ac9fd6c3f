import type { Socket } from 'node:net';
import { Recorder, type RecorderHost } from '../capture/recorder.ts';
import { SessionRecord } from '../capture/session-record.ts';
import { Opcode } from '../contract/frame.ts';
import type { Ending } from '../contract/session.ts';
import { violationCodes, ViolationBit } from '../contract/violations.ts';
import { ERRORS } from '../errors.ts';
import { type ClosePayload, closePayload } from '../protocol/closing.ts';
import { CompressedChecker, type CompressedFailure } from '../protocol/compressed-checker.ts';
import { type NegotiatedDeflate, parseExtensions } from '../protocol/extensions.ts';
import { buildFrame } from '../protocol/frame-header.ts';
import { FrameScanner, type NegotiatedExtensions } from '../protocol/frame-scanner.ts';
import { failureOf } from '../protocol/failure.ts';
import { PayloadChecker } from '../protocol/payload-checker.ts';
import type { Entry, Roster } from '../roster.ts';
import { hasBeenReset } from './connection-error.ts';
import { FrameHold } from './frame-hold.ts';
import type { Leg } from './leg.ts';
import { Relay, type RelayGround, type RelayListener } from './relay.ts';
import { readInto } from './shared-read.ts';
import type { StalledPeer, StalledPeers } from './stalled-peers.ts';
import type { StartSession } from './upgrade.ts';

/** What all sessions share. */
export interface SessionGround extends RelayGround {
  readonly store: RecorderHost;
  readonly strict: boolean;
  /** Sessions that run, for the end. */
  readonly running: Roster<Session>;
  readonly stalledPeers: StalledPeers;
}

/** A TLS socket reports a write as done a turn later: only a queue above this means that the peer is slow. */
const TLS_WAIT_LIMIT_BYTES = 256 * 1024;
/** A reset destroys what its receiver's system has not taken: how long a peer has for that, after all was handed over. */
const RESET_GRACE_MS = 10;
/** The same where more was sent than fits one first congestion window (RFC 6928: 10 segments). */
const BUSY_RESET_GRACE_MS = 250;
const FIRST_WINDOW_BYTES = 14_600;
/** A reset is carried within a second, also to a peer that reads nothing. */
const RESET_LIMIT_MS = 600;
/** Where it came from a peer that was not read: time for the other side to take what came before. */
const CATCH_UP_MS = 300;
/** After a failed session's close frame has left: time for the peer to read it and to end. */
const FAILURE_GRACE_MS = 1000;
/** Time for a slow peer to take what was sent to it before that. */
const FAILURE_LIMIT_MS = 10_000;

interface Failure {
  readonly code: number;
  readonly reason: string;
  readonly fault: { readonly code: 'length-out-of-range' | 'protocol-violation'; readonly also: readonly string[] };
}

/** One client-server pair after its opening handshake: two relays, and the carrying of each end to the other side. */
export class Session implements RelayListener {
  readonly #ground: SessionGround;
  readonly #record: SessionRecord;
  readonly #client: Side;
  readonly #server: Side;
  #failure: Failure | null = null;
  #over = false;
  #place: Entry<Session> | null = null;

  constructor(
    ground: SessionGround,
    start: {
      readonly record: SessionRecord;
      readonly client: Leg;
      readonly server: Leg;
      readonly extensions: NegotiatedExtensions;
      /** Parameters of permessage-deflate where it is in force. */
      readonly deflate?: NegotiatedDeflate | null;
    },
  ) {
    this.#ground = ground;
    this.#record = start.record;
    this.#client = new Side(this, 'client', start.client);
    this.#server = new Side(this, 'server', start.server);
    const { extensions, deflate = null } = start;
    this.#client.relay = this.#relay(this.#client, this.#server, { extensions, deflate });
    this.#server.relay = this.#relay(this.#server, this.#client, { extensions, deflate });
  }

  /** Starts both relays. */
  run(): void {
    this.#place = this.#ground.running.add(this);
    this.#run(this.#client);
    this.#run(this.#server);
    for (const side of [this.#client, this.#server]) if (side.cameEnded) this.#ended(side, 'fin');
  }

  #relay(
    source: Side,
    target: Side,
    { extensions, deflate }: { extensions: NegotiatedExtensions; deflate: NegotiatedDeflate | null },
  ): Relay {
    const fromClient = source.party === 'client';
    const inflates = this.#ground.strict && extensions === 'permessage-deflate' && deflate !== null;
    const noTakeover = fromClient ? deflate?.clientNoContextTakeover : deflate?.serverNoContextTakeover;
    return new Relay({
      ground: this.#ground,
      rekeys: fromClient,
      extensions,
      scanner: new FrameScanner({ masked: fromClient, extensions }),
      recorder: new Recorder(this.#ground.store, this.#record, fromClient ? 'client-to-server' : 'server-to-client'),
      checker: new PayloadChecker({ readsText: extensions !== 'unknown' }),
      compressed: inflates
        ? new CompressedChecker({ contextTakeover: noTakeover !== true, held: this.#ground.held })
        : null,
      hold: this.#ground.strict ? new FrameHold(this.#ground.held) : null,
      listener: this,
      source: source.socket,
      target: target.socket,
      waitLimitBytes: target.isTls ? TLS_WAIT_LIMIT_BYTES : 0,
    });
  }

  #run(side: Side): void {
    const { socket, relay } = side;
    socket.on('end', () => this.#ended(side, side.hasBeenReset ? 'reset' : 'fin'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#ended(side, endingOf(error)));
    socket.on('close', () => this.#closed(side));
    if (relay === null) return;
    this.#read(side, relay);
    this.#relayRest(side);
    if (!relay.paused) socket.resume();
  }

  /** Hands on what came with the handshake. */
  #relayRest(side: Side): void {
    const { rest } = side;
    side.rest = NOTHING;
    if (rest.length > 0) side.relay?.receiveElsewhere(rest);
  }

  #read(side: Side, relay: Relay): void {
    const { kernel, gather } = this.#ground;
    const { socket } = side;
    const shared = side.isTls
      ? readInto(socket, gather.area, (length) => gather.take(relay, length))
      : readInto(socket, kernel.readArea, (length) => relay.receive(length));
    if (!shared) socket.on('data', (chunk: Buffer) => relay.receiveElsewhere(chunk));
  }

  /** A side sends no more. Everything it sent has been handed to the other side's queue. */
  #ended(side: Side, told: Ending): void {
    this.#flush();
    const how = side.resetAtMs === null ? told : 'reset';
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
      // It is read no further, but may still reset its connection.
      else this.#ground.stalledPeers.watch(side);
      return;
    }
    other.ended = true;
    this.#finish();
    side.socket.destroy();
    this.#reset(other, (side.resetAtMs ?? Date.now()) + RESET_LIMIT_MS);
  }

  /** A side that is not read has reset its connection: what it sent before can still be read, for a while. */
  resetWhileStalled(side: Side): void {
    side.resetAtMs = Date.now();
    if (side.ended) this.#ended(side, 'reset');
    else setTimeout(() => this.#ended(side, 'reset'), CATCH_UP_MS);
  }

  /** Hands on what was gathered of either side, or came with its handshake: it came before whatever ends it. */
  #flush(): void {
    this.#relayRest(this.#client);
    this.#relayRest(this.#server);
    this.#ground.gather.flush(this.#client.relay);
    this.#ground.gather.flush(this.#server.relay);
  }

  /** Resets a side's connection once what was sent to it has left, or at `until`. */
  #reset(side: Side, until: number): void {
    const { socket, raw } = side;
    const grace = socket.bytesWritten > FIRST_WINDOW_BYTES ? BUSY_RESET_GRACE_MS : RESET_GRACE_MS;
    const reset = (): void => {
      if (!raw.destroyed) raw.resetAndDestroy();
      socket.destroy();
    };
    const resetWhenWritten = (): void => {
      if (Date.now() >= until) reset();
      else if (socket.writableLength === 0) setTimeout(reset, grace);
      else setTimeout(resetWhenWritten, RESET_GRACE_MS);
    };
    resetWhenWritten();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#place !== null) this.#ground.running.delete(this.#place);
    this.#record.closed();
    for (const side of [this.#client, this.#server]) {
      this.#ground.stalledPeers.letGo(side);
      // What waits for a side is given back when its connection is gone: it may still be written until then.
      const towards = this.#other(side).relay;
      if (side.socket.destroyed) towards?.free();
      else towards?.stop();
    }
  }

  #closed(side: Side): void {
    this.#ended(side, 'reset');
    this.#other(side).relay?.free();
  }

  #sideOf(relay: Relay): Side {
    return relay === this.#client.relay ? this.#client : this.#server;
  }
  #other(side: Side): Side {
    return side === this.#client ? this.#server : this.#client;
  }

  // What the relays tell

  stalled(relay: Relay): void {
    this.#ground.stalledPeers.watch(this.#sideOf(relay));
  }

  closeFramePassed(relay: Relay, close: ClosePayload): void {
    const from = this.#sideOf(relay);
    relay.recorder.closeFrame(relay.scanner, close);
    const refused = this.#ground.strict && (close.violations | relay.scanner.violations) !== 0;
    if (!refused) this.#other(from).closeSent = true;
  }

  violated(_relay: Relay, bits: number): boolean {
    const lost = bits & ViolationBit['length-out-of-range'];
    const failing = this.#ground.strict ? bits : lost;
    if (failing === 0) return false;
    const code = lost !== 0 ? 'length-out-of-range' : 'protocol-violation';
    this.#failure = { ...failureOf(failing), fault: { code, also: violationCodes(failing).slice(1) } };
    return true;
  }

  refused(relay: Relay, { code, reason, violation }: CompressedFailure): void {
    const by = this.#sideOf(relay).party;
    if (violation !== null) this.#record.messageViolation(violation, by, relay.recorder.lastIndex);
    this.#failure = { code, reason, fault: { code: 'protocol-violation', also: [] } };
  }

  /** Closes both legs with a close frame that names the section, then ends them. */
  stopped(relay: Relay): void {
    const failure = this.#failure;
    if (failure === null || this.#over) return;
    const { code, reason, fault } = failure;
    const message = [`${ERRORS[fault.code].means} ${reason}`, ...fault.also].join(', ');
    this.#record.fault({ by: this.#sideOf(relay).party, code: fault.code, message });
    relay.recorder.breakSilence(relay.scanner);
    this.#endBoth({ code, reason });
  }

  /** Ends both connections without a word, as a proxy that is being stopped. */
  stop(): void {
    this.#endBoth(null);
  }

  #endBoth(close: { readonly code: number; readonly reason: string } | null): void {
    // What has come in this turn was valid until now: it goes first.
    if (!this.#over) this.#flush();
    if (this.#over) return;
    this.#client.ended = this.#server.ended = true;
    let said = false;
    for (const side of [this.#client, this.#server]) {
      const { socket } = side;
      if (socket.destroyed) continue;
      // Inside a frame nothing can be said, and after a close frame nothing may be (RFC 6455 §5.5.1).
      const maySpeak = !side.closeSent && this.#other(side).relay?.atFrameBoundary === true;
      if (close !== null && maySpeak) {
        socket.write(this.#closeFrame(side, close));
        said = true;
      }
      socket.end();
      endWithin(socket, close === null ? FAILURE_GRACE_MS : FAILURE_LIMIT_MS);
      socket.resume();
    }
    this.#record.endedByProxy(close, said);
    this.#finish();
  }

  #closeFrame(to: Side, { code, reason }: { readonly code: number; readonly reason: string }): Uint8Array {
    const key = to.party === 'server' ? this.#ground.keys.next() : undefined;
    return buildFrame(Opcode.Close, closePayload(code, reason), key);
  }
}

/** Destroys a socket whose peer does not end: `FAILURE_GRACE_MS` after all has left, `limitMs` from now at the latest. */
function endWithin(socket: Socket, limitMs: number): void {
  const destroy = (): void => void socket.destroy();
  let timer = setTimeout(destroy, limitMs).unref();
  socket.once('finish', () => {
    clearTimeout(timer);
    timer = setTimeout(destroy, FAILURE_GRACE_MS).unref();
  });
  socket.once('close', () => clearTimeout(timer));
}

const NOTHING = new Uint8Array(0);

/** One leg as the session drives it. */
class Side implements StalledPeer {
  readonly #session: Session;
  readonly party: 'client' | 'server';
  readonly socket: Socket;
  readonly raw: Socket;
  /** Bytes that came with the handshake, until they are relayed. */
  rest: Uint8Array;
  relay: Relay | null = null;
  /** Sends no more. */
  ended = false;
  /** Had ended before the session began. */
  readonly cameEnded: boolean;
  /** It has been sent a close frame. */
  closeSent = false;
  watched: Entry<StalledPeer> | null = null;
  /** When it was found to have reset its connection while it was not read. */
  resetAtMs: number | null = null;

  constructor(session: Session, party: 'client' | 'server', leg: Leg) {
    this.#session = session;
    this.party = party;
    this.socket = leg.socket;
    this.raw = leg.raw;
    this.rest = leg.rest;
    this.cameEnded = leg.ended === true;
  }

  get isTls(): boolean {
    return this.socket !== this.raw;
  }
  /** It is not read, and its connection is still wanted. */
  get stalled(): boolean {
    return this.ended ? !this.socket.destroyed && !this.socket.writableEnded : this.relay?.paused === true;
  }
  get hasBeenReset(): boolean {
    return hasBeenReset(this.raw, { finSent: this.socket.writableEnded });
  }
  resetWhileStalled(): void {
    this.#session.resetWhileStalled(this);
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
    new Session(ground, { record: recorder, client, server, extensions, deflate }).run();
  };
}
