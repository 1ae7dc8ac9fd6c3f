import type { ViolationCode } from './violations.ts';

/** Who did it. */
export type Party = 'client' | 'server' | 'proxy';
export type SessionState = 'connecting' | 'open' | 'closed' | 'failed';
export type SessionMode = 'connect' | 'absolute-form' | 'reverse';

/** Names and values in the order, case and number in which they stood on the wire (bytes as latin1). */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  readonly headers: HeaderList;
}
export interface ResponseHead {
  readonly httpVersion: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
}

/** The four messages of an opening handshake: what each peer sent and what the proxy made of it. */
export interface HandshakeRecord {
  readonly clientRequest: RequestHead | null;
  readonly serverRequest: RequestHead | null;
  readonly serverResponse: ResponseHead | null;
  readonly clientResponse: ResponseHead | null;
}

export interface TlsInfo {
  readonly version: string;
  readonly cipher: string;
  readonly alpn: string | null;
  /** SHA-256 of the peer's (upstream leg) or our (client leg) leaf certificate, hex, or null. */
  readonly certificateSha256: string | null;
}

/** How long each step of the opening took, in milliseconds, or null where it did not happen. */
export interface Timings {
  readonly dns: number | null;
  readonly connect: number | null;
  readonly tls: number | null;
  /** From our request's last byte to the server's answer. */
  readonly upgrade: number | null;
}

/** How one leg direction ended. */
export type Ending = 'fin' | 'reset' | 'timeout';

export interface CloseRecord {
  /** Who began to close: sent the first close frame, or ended the connection first. */
  readonly by: Party;
  /** The first close frame's status code; null for none (RFC 6455 §7.1.5 would say 1005 or 1006). */
  readonly code: number | null;
  readonly reason: string;
  /** Both close frames were seen before the connections ended. */
  readonly clean: boolean;
  readonly how: 'closing-handshake' | Ending;
  /** Each peer's own close frame, where it sent one. `code` is null for an empty close frame. */
  readonly clientFrame: CloseFrame | null;
  readonly serverFrame: CloseFrame | null;
  /** Milliseconds from the first close frame to the other's answer, or null. */
  readonly echoMs: number | null;
  readonly clientEnding: Ending | null;
  readonly serverEnding: Ending | null;
}
export interface CloseFrame {
  readonly code: number | null;
  readonly reason: string;
  readonly frameIndex: number;
}

export interface Fault {
  readonly by: Party;
  readonly code: string;
  readonly message: string;
}

/** RFC 6455 §4.2.2: what Sec-WebSocket-Accept had to be, and what it was. */
export interface AcceptProof {
  readonly key: string | null;
  readonly expected: string | null;
  readonly received: string | null;
  readonly matches: boolean;
}

export interface DirectionTotals {
  readonly frames: number;
  /** Payload bytes. */
  readonly bytes: number;
}

/** How long nothing was said by either side: neither data nor ping nor pong. A close frame breaks no silence. */
export interface SessionSilence {
  /** When something was heard last: bytes of a frame, or the opening. */
  readonly since: string;
  /** The longest silence that was broken again, in milliseconds. */
  readonly survivedMs: number;
  /** Up to the first close frame, or to the end of a connection without one; null before that. */
  readonly beforeEndMs: number | null;
}

/** What a list of sessions shows. */
export interface SessionSummary {
  readonly id: string;
  /** The log's number when this session last changed. */
  readonly seq: number;
  readonly url: string;
  readonly mode: SessionMode;
  readonly state: SessionState;
  readonly startedAt: string;
  readonly openedAt: string | null;
  readonly closedAt: string | null;
  readonly client: { readonly address: string; readonly port: number };
  /** The server's status code, or null before or without an answer. */
  readonly status: number | null;
  readonly subprotocol: string | null;
  readonly extensions: string | null;
  readonly clientToServer: DirectionTotals;
  readonly serverToClient: DirectionTotals;
  /** Number of frames in all: the next frame's index. */
  readonly frameCount: number;
  /** Index of the oldest frame that is still held; equals `frameCount` where none is. */
  readonly firstHeldFrame: number;
  readonly violationCount: number;
  /** Null where it was never open. */
  readonly silence: SessionSilence | null;
  readonly close: CloseRecord | null;
  readonly fault: Fault | null;
}

export interface SessionDetail extends SessionSummary {
  readonly server: { readonly address: string; readonly port: number; readonly tls: TlsInfo | null };
  readonly clientTls: TlsInfo | null;
  readonly timingsMs: Timings & { readonly firstFrame: number | null };
  readonly handshake: HandshakeRecord;
  /** The start of the server's body where it refused the handshake, as latin1, at most 4 KiB. */
  readonly refusalBody: string | null;
  readonly proof: { readonly client: AcceptProof; readonly server: AcceptProof };
  /** Each violation seen in this session, by whom, how often, and the first frame it stands on (null: on none). */
  readonly violations: readonly SessionViolation[];
}
export interface SessionViolation {
  readonly code: ViolationCode;
  readonly by: Party;
  readonly count: number;
  readonly firstFrame: number | null;
}
