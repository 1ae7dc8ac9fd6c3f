import { isoMicros } from '../contract/time.ts';
import type {
  AcceptProof,
  CloseFrame,
  Ending,
  Fault,
  HandshakeRecord,
  Party,
  SessionDetail,
  SessionMode,
  SessionSilence,
  SessionState,
  SessionSummary,
  SessionViolation,
  Timings,
  TlsInfo,
} from '../contract/session.ts';
import {
  FRAME_VIOLATIONS,
  type HandshakeViolationCode,
  type MessageViolationCode,
  type ViolationCode,
} from '../contract/violations.ts';
import type { RowWriter, Segment, SegmentTenant } from './segment.ts';
import { SessionEnding } from './session-ending.ts';
import type { SessionFacts, SessionRecorder } from './session-recorder.ts';
import type { KeptText, TextArena } from './text-arena.ts';
import { detached, packRequest, packResponse, unpackRequest, unpackResponse } from './packed-head.ts';

/** What the store does for its sessions. */
export interface SessionHost {
  readonly clock: () => number;
  /** The session has changed: it gets a new place in the log. */
  sessionChanged(session: SessionRecord): void;
  readonly texts: TextArena;
  /** It costs `bytes` more than before. */
  sessionGrew(session: SessionRecord, bytes: number): void;
}

/** What a session costs beside its texts: its objects, and its places in maps and lists. Measured. */
const BASE_COST_BYTES = 2340;
const NO_PROOF: AcceptProof = { key: null, expected: null, received: null, matches: false };
const NO_TIMINGS: Timings = { dns: null, connect: null, tls: null, upgrade: null };

/** One session in the store: facts, counts and where its rows are. */
export class SessionRecord implements SessionRecorder, SegmentTenant {
  readonly number: number;
  readonly id: string;
  /** The log's number of the last change; the store keeps sessions in this order. */
  changedSeq = 0;
  /** Neighbours in the order of change. */
  previous: SessionRecord | null = null;
  next: SessionRecord | null = null;
  /** Waits for the hub to give it a new place in that order. */
  dirty = false;
  /** No longer in the store: what still arrives for it is not kept. */
  gone = false;
  state: SessionState = 'connecting';
  frameCount = 0;
  /** Frames and payload bytes a direction: client to server first. */
  readonly frames: [number, number] = [0, 0];
  readonly bytes: [number, number] = [0, 0];
  /** Where its rows are: segments with the index of the first frame in each, oldest first. */
  readonly residence: { segment: Segment; firstIndex: number }[] = [];
  /** Who writes its rows: one a direction. */
  readonly writers: RowWriter[] = [];
  costBytes = BASE_COST_BYTES;
  firstFrameUs: number | null = null;

  readonly #host: SessionHost;
  readonly #mode: SessionMode;
  readonly #client: { readonly address: string; readonly port: number };
  readonly #startedUs: number;
  #openedUs: number | null = null;
  #closedUs: number | null = null;
  #url: string;
  #server: SessionFacts['server'] = { address: '', port: 0, tls: null };
  #clientTls: TlsInfo | null = null;
  #timings: Timings = NO_TIMINGS;
  #clientRequest: KeptText | null = null;
  #serverRequest: KeptText | null = null;
  #serverResponse: KeptText | null = null;
  #clientResponse: KeptText | null = null;
  #status: number | null = null;
  #subprotocol: string | null = null;
  #extensions: string | null = null;
  #refusalBody: KeptText | null = null;
  #proof: SessionFacts['proof'] = { client: NO_PROOF, server: NO_PROOF };
  #fault: Fault | null = null;
  #violations: Map<string, { -readonly [K in keyof SessionViolation]: SessionViolation[K] }> | null = null;
  #violationCount = 0;
  #ending: SessionEnding | null = null;
  /** When something was heard last: bytes of a frame that is no close frame, or the opening. */
  #heardUs: number;
  /** The longest silence that was broken again. */
  #survivedUs = 0;

  constructor(
    host: SessionHost,
    start: {
      readonly number: number;
      readonly url: string;
      readonly mode: SessionMode;
      readonly client: { readonly address: string; readonly port: number };
    },
  ) {
    this.#host = host;
    this.number = start.number;
    this.id = String(start.number);
    this.#url = detached(start.url);
    this.#mode = start.mode;
    this.#client = start.client;
    this.#startedUs = this.#heardUs = host.clock();
    this.costBytes += start.url.length;
  }

  update(facts: Partial<SessionFacts>): void {
    const { url, subprotocol, extensions } = facts;
    this.#grow((url?.length ?? 0) + (subprotocol?.length ?? 0) + (extensions?.length ?? 0));
    if (facts.url !== undefined) this.#url = detached(facts.url);
    if (facts.server !== undefined) this.#server = facts.server;
    if (facts.clientTls !== undefined) this.#clientTls = facts.clientTls;
    if (facts.timingsMs !== undefined) this.#timings = { ...this.#timings, ...facts.timingsMs };
    if (facts.handshake !== undefined) this.#pack(facts.handshake);
    if (facts.status !== undefined) this.#status = facts.status;
    if (facts.subprotocol !== undefined) this.#subprotocol = detached(facts.subprotocol);
    if (facts.extensions !== undefined) this.#extensions = detached(facts.extensions);
    if (facts.refusalBody !== undefined) this.#refusalBody = this.#keep(facts.refusalBody, this.#refusalBody);
    if (facts.proof !== undefined) {
      this.#proof = { client: detachedProof(facts.proof.client), server: detachedProof(facts.proof.server) };
    }
    this.#host.sessionChanged(this);
  }

  violation(code: HandshakeViolationCode, by: Party): void {
    this.#countViolation(code, by, null);
    this.#host.sessionChanged(this);
  }

  opened(): void {
    if (this.state !== 'connecting') return;
    this.state = 'open';
    this.#openedUs = this.#heardUs = this.#host.clock();
    this.#host.sessionChanged(this);
  }

  failed(fault: Fault): void {
    if (this.state === 'failed' || this.state === 'closed') return;
    this.state = this.state === 'open' ? 'closed' : 'failed';
    this.#fault = fault;
    this.#grow(fault.message.length);
    this.#closedUs = this.#host.clock();
    this.#host.sessionChanged(this);
  }

  /** Something went wrong in an open session; it is closed by `closed`. */
  fault(fault: Fault): void {
    this.#fault ??= fault;
  }

  /** Something was heard that is no close frame. Once a chunk at most: what comes together breaks one silence. */
  heard(timeUs: number): void {
    if (this.#ending !== null) return;
    const silenceUs = timeUs - this.#heardUs;
    if (silenceUs > this.#survivedUs) this.#survivedUs = silenceUs;
    this.#heardUs = timeUs;
  }

  /** A close frame has passed, in a chunk that came at `timeUs`. */
  closeFrame(by: 'client' | 'server', frame: CloseFrame, timeUs: number = this.#host.clock()): void {
    this.#ending ??= new SessionEnding(by, timeUs);
    this.#ending.closeFrame(by, frame, timeUs);
    this.#host.sessionChanged(this);
  }

  /** A peer has ended its direction. */
  ended(by: 'client' | 'server', how: Ending): void {
    this.#ending ??= new SessionEnding(by, this.#host.clock());
    this.#ending.ended(by, how);
    this.#host.sessionChanged(this);
  }

  /** The proxy has ended both connections, with a close frame or without. */
  endedByProxy(close: { readonly code: number; readonly reason: string } | null): void {
    this.#ending ??= new SessionEnding('proxy', this.#host.clock());
    this.#ending.endedByProxy(close);
    this.#host.sessionChanged(this);
  }

  /** Both directions have ended. */
  closed(): void {
    if (this.state === 'closed' || this.state === 'failed') return;
    this.state = 'closed';
    this.writers.length = 0;
    this.#closedUs = this.#host.clock();
    this.#host.sessionChanged(this);
  }

  /** Notes frame violations; `bits` as in contract/violations.ts. */
  frameViolations(bits: number, by: Party, frameIndex: number | null): void {
    for (let bit = 0; bit < FRAME_VIOLATIONS.length; bit++) {
      const entry = FRAME_VIOLATIONS[bit];
      if (entry !== undefined && (bits & (1 << bit)) !== 0) this.#countViolation(entry[0], by, frameIndex);
    }
  }

  /** Notes what is wrong with a whole message, on the frame that ended it. */
  messageViolation(code: MessageViolationCode, by: Party, frameIndex: number): void {
    this.#countViolation(code, by, frameIndex);
  }

  segmentGone(segment: Segment): void {
    for (const writer of this.writers) writer.segmentGone(segment);
    const at = this.residence.findIndex((place) => place.segment === segment);
    if (at >= 0) this.residence.splice(at, 1);
  }

  /** `old` is now `fresh`, without the rows of session `without`; true where rows of this session are in it. */
  segmentMoved(old: Segment, fresh: Segment, without: number): boolean {
    if (this.number === without) return false;
    const place = this.residence.find((candidate) => candidate.segment === old);
    if (place === undefined) return false;
    place.segment = fresh;
    for (const writer of this.writers) writer.segmentMoved(old, fresh);
    return true;
  }

  /** Its rows were taken out of the log. */
  rowsGone(): void {
    for (const writer of this.writers) writer.rowsGone();
    this.residence.length = 0;
  }

  get firstHeldFrame(): number {
    return this.residence[0]?.firstIndex ?? this.frameCount;
  }
  get extensions(): string | null {
    return this.#extensions;
  }
  /** It may still change or grow. */
  get live(): boolean {
    return this.state === 'connecting' || this.state === 'open';
  }

  summary(): SessionSummary {
    return {
      id: this.id,
      seq: this.changedSeq,
      url: this.#url,
      mode: this.#mode,
      state: this.state,
      startedAt: isoMicros(this.#startedUs),
      openedAt: iso(this.#openedUs),
      closedAt: iso(this.#closedUs),
      client: this.#client,
      status: this.#status,
      subprotocol: this.#subprotocol,
      extensions: this.#extensions,
      clientToServer: { frames: this.frames[0], bytes: this.bytes[0] },
      serverToClient: { frames: this.frames[1], bytes: this.bytes[1] },
      frameCount: this.frameCount,
      firstHeldFrame: this.firstHeldFrame,
      violationCount: this.#violationCount,
      silence: this.#silence(),
      close: this.#ending?.record() ?? null,
      fault: this.#fault,
    };
  }

  detail(): SessionDetail {
    const opened = this.#openedUs;
    const first = this.firstFrameUs;
    return {
      ...this.summary(),
      server: this.#server,
      clientTls: this.#clientTls,
      timingsMs: { ...this.#timings, firstFrame: opened === null || first === null ? null : (first - opened) / 1000 },
      handshake: {
        clientRequest: unpackRequest(this.#read(this.#clientRequest)),
        serverRequest: unpackRequest(this.#read(this.#serverRequest)),
        serverResponse: unpackResponse(this.#read(this.#serverResponse)),
        clientResponse: unpackResponse(this.#read(this.#clientResponse)),
      },
      refusalBody: this.#read(this.#refusalBody),
      proof: this.#proof,
      violations: [...(this.#violations?.values() ?? [])].map((violation) => ({ ...violation })),
    };
  }

  #silence(): SessionSilence | null {
    if (this.#openedUs === null) return null;
    const endedUs = this.#ending?.beganUs ?? this.#closedUs;
    return {
      since: isoMicros(this.#heardUs),
      survivedMs: inMs(this.#survivedUs),
      beforeEndMs: endedUs === null ? null : inMs(endedUs - this.#heardUs),
    };
  }

  #countViolation(code: ViolationCode, by: Party, firstFrame: number | null): void {
    this.#violationCount++;
    this.#violations ??= new Map();
    const known = this.#violations.get(`${code} ${by}`);
    if (known !== undefined) known.count++;
    else this.#violations.set(`${code} ${by}`, { code, by, count: 1, firstFrame });
  }

  #pack(handshake: Partial<HandshakeRecord>): void {
    const { clientRequest, serverRequest, serverResponse, clientResponse } = handshake;
    if (clientRequest != null) this.#clientRequest = this.#keep(packRequest(clientRequest), this.#clientRequest);
    if (serverRequest != null) this.#serverRequest = this.#keep(packRequest(serverRequest), this.#serverRequest);
    if (serverResponse != null) this.#serverResponse = this.#keep(packResponse(serverResponse), this.#serverResponse);
    if (clientResponse != null) this.#clientResponse = this.#keep(packResponse(clientResponse), this.#clientResponse);
  }

  /** Puts a text in the place of another; nothing where the session is not in the store. */
  #keep(text: string, former: KeptText | null): KeptText | null {
    const { texts } = this.#host;
    if (former !== null) texts.release(former);
    return this.gone ? null : texts.keep(text);
  }

  #grow(bytes: number): void {
    if (bytes > 0) this.#host.sessionGrew(this, bytes);
  }

  #read(text: KeptText | null): string | null {
    return text === null ? null : this.#host.texts.read(text);
  }

  /** The session leaves the store. */
  release(): void {
    this.gone = true;
    const { texts } = this.#host;
    const kept = [this.#clientRequest, this.#serverRequest, this.#serverResponse, this.#clientResponse];
    for (const text of [...kept, this.#refusalBody]) if (text !== null) texts.release(text);
    this.#clientRequest = this.#serverRequest = this.#serverResponse = this.#clientResponse = this.#refusalBody = null;
  }
}

function detachedProof({ key, expected, received, matches }: AcceptProof): AcceptProof {
  const own = detached(expected);
  // Equal texts are kept once.
  return { key: detached(key), expected: own, received: received === expected ? own : detached(received), matches };
}

/** Milliseconds, with microseconds as the times of frames have them. */
function inMs(us: number): number {
  return Math.round(us) / 1000;
}

function iso(timeUs: number | null): string | null {
  return timeUs === null ? null : isoMicros(timeUs);
}
