import type {
  AcceptProof,
  CloseFrame,
  Ending,
  Fault,
  HandshakeRecord,
  Party,
  SessionDetail,
  SessionMode,
  SessionState,
  SessionSummary,
  SessionViolation,
  Timings,
} from '../contract/session.ts';
import {
  FRAME_VIOLATIONS,
  type HandshakeViolationCode,
  type MessageViolationCode,
  type ViolationCode,
} from '../contract/violations.ts';
import type { Entry } from '../roster.ts';
import { detached, type EndedFacts, type Opening, packOpening, unpackOpening } from './packed-facts.ts';
import { NO_PLACES, type Place, placesMoved, placesWithout } from './residence.ts';
import type { RowWriter, Segment, SegmentTenant } from './segment.ts';
import { SessionEnding } from './session-ending.ts';
import type { StoredSession } from './session-list.ts';
import type { SessionFacts, SessionRecorder } from './session-recorder.ts';
import { summaryOf, type SummaryFacts } from './session-summary.ts';
import { type KeptText, NO_TEXT, type TextArena } from './text-arena.ts';

/** What the store does for its sessions. */
export interface SessionHost {
  readonly clock: () => number;
  /** The session has changed: it gets a new place in the log. */
  sessionChanged(session: SessionRecord): void;
  /** Nothing more will be told of it. */
  sessionEnded(session: SessionRecord): void;
  readonly texts: TextArena;
  /** It costs `bytes` more than before. */
  sessionGrew(session: SessionRecord, bytes: number): void;
}

/** What an open session costs beside its texts: its objects, and its places in maps and lists. Measured. */
const BASE_COST_BYTES = 840;
const NO_PROOF: AcceptProof = { key: null, expected: null, received: null, matches: false };
const NOTHING_KNOWN: Opening = {
  server: { address: '', port: 0, tls: null },
  clientTls: null,
  timingsMs: { dns: null, connect: null, tls: null, upgrade: null },
  handshake: { clientRequest: null, serverRequest: null, serverResponse: null, clientResponse: null },
  refusalBody: null,
  proof: { client: NO_PROOF, server: NO_PROOF },
};

/** One session in the store, until it has ended: facts, counts and where its rows are. */
export class SessionRecord implements SessionRecorder, SegmentTenant {
  number: number;
  /** The log's number of the last change; the store keeps sessions in this order. */
  changedSeq = 0;
  /** Neighbours in the order of change. */
  previous: StoredSession | null = null;
  next: StoredSession | null = null;
  /** Its place among those that have not ended. */
  place: Entry<SessionRecord> | null = null;
  /** Waits for the hub to give it a new place in that order. */
  dirty = false;
  /** Not in the store, not yet or not any more: what arrives for it is not kept. */
  gone = false;
  state: SessionState = 'connecting';
  frameCount = 0;
  /** Frames among those that were recorded that began a message. */
  messageCount = 0;
  /** Frames and payload bytes a direction: client to server first. */
  readonly frames: [number, number] = [0, 0];
  readonly bytes: [number, number] = [0, 0];
  /** Where its rows are. */
  residence: readonly Place[] = NO_PLACES;
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
  /** While it is being made known; packed from then on. */
  #opening: Opening | null = NOTHING_KNOWN;
  #packedOpening: KeptText = NO_TEXT;
  #status: number | null = null;
  #subprotocol: string | null = null;
  #extensions: string | null = null;
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
    if (facts.status !== undefined) this.#status = facts.status;
    if (facts.subprotocol !== undefined) this.#subprotocol = detached(facts.subprotocol);
    if (facts.extensions !== undefined) this.#extensions = detached(facts.extensions);
    const opening = this.#openingNow();
    this.#opening = {
      server: facts.server ?? opening.server,
      clientTls: facts.clientTls === undefined ? opening.clientTls : facts.clientTls,
      timingsMs: facts.timingsMs === undefined ? opening.timingsMs : timingsWith(opening.timingsMs, facts.timingsMs),
      handshake: facts.handshake === undefined ? opening.handshake : headsWith(opening.handshake, facts.handshake),
      refusalBody: facts.refusalBody ?? opening.refusalBody,
      proof: facts.proof ?? opening.proof,
    };
    if (this.state !== 'connecting') this.#pack();
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
    this.#pack();
    this.#host.sessionChanged(this);
  }

  failed(fault: Fault): void {
    if (this.state === 'failed' || this.state === 'closed') return;
    this.state = this.state === 'open' ? 'closed' : 'failed';
    this.#fault = fault;
    this.#grow(fault.message.length);
    this.#end();
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

  /** The proxy has ended both connections, with a close frame or without; `said`: one of them could be sent it. */
  endedByProxy(close: { readonly code: number; readonly reason: string } | null, said = close !== null): void {
    this.#ending ??= new SessionEnding('proxy', this.#host.clock());
    this.#ending.endedByProxy(close, said);
    this.#host.sessionChanged(this);
  }

  /** Both directions have ended. */
  closed(): void {
    if (this.state === 'closed' || this.state === 'failed') return;
    this.state = 'closed';
    this.#end();
  }

  #end(): void {
    this.#closedUs = this.#host.clock();
    // They add what they have counted, and let go of the segments.
    for (const writer of this.writers) writer.rowsGone();
    this.writers.length = 0;
    this.#pack();
    this.#host.sessionEnded(this);
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
    this.residence = placesWithout(this.residence, segment);
  }

  /** `old` is now `fresh`, without the rows of session `without`; true where rows of this session are in it. */
  segmentMoved(old: Segment, fresh: Segment, without: number): boolean {
    const moved = this.number === without ? null : placesMoved(this.residence, old, fresh);
    if (moved === null) return false;
    this.residence = moved;
    for (const writer of this.writers) writer.segmentMoved(old, fresh);
    return true;
  }

  /** Its rows were taken out of the log. */
  rowsGone(): void {
    for (const writer of this.writers) writer.rowsGone();
    this.residence = NO_PLACES;
  }

  get firstHeldFrame(): number {
    return this.residence[0]?.firstIndex ?? this.frameCount;
  }
  get messagesBefore(): number {
    return this.residence[0]?.messagesBefore ?? this.messageCount;
  }
  get id(): string {
    return String(this.number);
  }
  get extensions(): string | null {
    return this.#extensions;
  }
  /** It may still change or grow. */
  get live(): boolean {
    return this.state === 'connecting' || this.state === 'open';
  }

  summary(): SessionSummary {
    return summaryOf(this.#facts(), { seq: this.changedSeq, firstHeldFrame: this.firstHeldFrame });
  }

  #facts(): SummaryFacts {
    return {
      id: this.id,
      url: this.#url,
      mode: this.#mode,
      state: this.state,
      startedUs: this.#startedUs,
      openedUs: this.#openedUs,
      closedUs: this.#closedUs,
      client: this.#client,
      status: this.#status,
      subprotocol: this.#subprotocol,
      extensions: this.#extensions,
      frames: this.frames,
      bytes: this.bytes,
      frameCount: this.frameCount,
      violationCount: this.#violationCount,
      heardUs: this.#heardUs,
      survivedUs: this.#survivedUs,
      endUs: this.#ending?.beganUs ?? this.#closedUs,
      close: this.#ending?.record() ?? null,
      fault: this.#fault,
    };
  }

  detail(): SessionDetail {
    const { timingsMs, ...opening } = this.#openingNow();
    const { firstFrame, violations } = this.#others();
    return { ...this.summary(), ...opening, timingsMs: { ...timingsMs, firstFrame }, violations };
  }

  /** What is kept of it when it has ended, and its packed opening, which is the taker's from now on. */
  handOver(): { readonly facts: EndedFacts; readonly opening: KeptText } {
    const opening = this.#packedOpening;
    this.#packedOpening = NO_TEXT;
    const { firstFrame, violations } = this.#others();
    return { facts: { summary: this.#facts(), firstFrame, violations }, opening };
  }

  #others(): Pick<EndedFacts, 'firstFrame' | 'violations'> {
    const opened = this.#openedUs;
    const first = this.firstFrameUs;
    return {
      firstFrame: opened === null || first === null ? null : (first - opened) / 1000,
      violations: [...(this.#violations?.values() ?? [])].map((violation) => ({ ...violation })),
    };
  }

  #countViolation(code: ViolationCode, by: Party, firstFrame: number | null): void {
    this.#violationCount++;
    this.#violations ??= new Map();
    const known = this.#violations.get(`${code} ${by}`);
    if (known !== undefined) known.count++;
    else this.#violations.set(`${code} ${by}`, { code, by, count: 1, firstFrame });
  }

  #openingNow(): Opening {
    if (this.#opening !== null) return this.#opening;
    return this.#packedOpening === NO_TEXT ? NOTHING_KNOWN : unpackOpening(this.#host.texts.read(this.#packedOpening));
  }

  /** It comes into the store, in the middle of its life: recording goes on. */
  listed(number: number): void {
    this.number = number;
    this.gone = false;
  }

  /** The opening is known: from now on it is one text, and nothing where nobody can ask for it any more. */
  #pack(): void {
    const opening = this.#opening;
    const wanted = !this.gone || this.live;
    if (opening === null && wanted) return;
    this.#opening = null;
    const { texts } = this.#host;
    if (this.#packedOpening !== NO_TEXT) texts.release(this.#packedOpening);
    this.#packedOpening = opening !== null && wanted ? texts.keep(packOpening(opening)) : NO_TEXT;
  }

  #grow(bytes: number): void {
    if (bytes > 0) this.#host.sessionGrew(this, bytes);
  }
}

// Field by field: V8 gives a copy that is spread and added to a hidden class of its own.

function timingsWith(known: Timings, more: Partial<Timings>): Timings {
  return {
    dns: more.dns ?? known.dns,
    connect: more.connect ?? known.connect,
    tls: more.tls ?? known.tls,
    upgrade: more.upgrade ?? known.upgrade,
  };
}

function headsWith(known: HandshakeRecord, more: Partial<HandshakeRecord>): HandshakeRecord {
  return {
    clientRequest: more.clientRequest ?? known.clientRequest,
    serverRequest: more.serverRequest ?? known.serverRequest,
    serverResponse: more.serverResponse ?? known.serverResponse,
    clientResponse: more.clientResponse ?? known.clientResponse,
  };
}
