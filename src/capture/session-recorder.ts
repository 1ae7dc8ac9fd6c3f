import type { AcceptProof, Fault, HandshakeRecord, Party, SessionMode, Timings, TlsInfo } from '../contract/session.ts';
import type { HandshakeViolationCode } from '../contract/violations.ts';

/** The facts of a session that the handshake makes known bit by bit. */
export interface SessionFacts {
  url: string;
  server: { address: string; port: number; tls: TlsInfo | null };
  clientTls: TlsInfo | null;
  timingsMs: Partial<Timings>;
  handshake: Partial<HandshakeRecord>;
  /** The server's status code. */
  status: number;
  subprotocol: string | null;
  extensions: string | null;
  refusalBody: string;
  proof: { client: AcceptProof; server: AcceptProof };
}

/** Opens sessions in the capture: what the proxy knows of the store. */
export interface CaptureWriter {
  openSession(start: {
    readonly url: string;
    readonly mode: SessionMode;
    readonly client: { readonly address: string; readonly port: number };
  }): SessionRecorder;
}

/** One session, as the proxy's handshake code writes it. Frames are recorded by the relay. */
export interface SessionRecorder {
  readonly id: string;
  /** Merges facts in; `timingsMs` and `handshake` member by member. */
  update(facts: Partial<SessionFacts>): void;
  violation(code: HandshakeViolationCode, by: Party): void;
  /** The handshake succeeded: state `open`. */
  opened(): void;
  /** The handshake failed: state `failed`. Once only; later calls are ignored. */
  failed(fault: Fault): void;
}
