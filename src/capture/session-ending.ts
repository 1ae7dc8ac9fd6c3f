import type { CloseFrame, CloseRecord, Ending, Party } from '../contract/session.ts';

interface PeerEnding {
  frame: CloseFrame | null;
  frameTimeUs: number;
  how: Ending | null;
}

/** How a session comes to its end. Made at the first sign of it: most sessions that are held have none. */
export class SessionEnding {
  /** When it began: at the first close frame, or at the end of a connection without one. */
  readonly beganUs: number;
  readonly #by: Party;
  readonly #client: PeerEnding = { frame: null, frameTimeUs: 0, how: null };
  readonly #server: PeerEnding = { frame: null, frameTimeUs: 0, how: null };
  /** The close frame that the proxy sent to both, where it failed the session. */
  #proxyClose: { readonly code: number; readonly reason: string } | null = null;
  /** At least one of them could be sent it. */
  #proxySaid = false;

  constructor(by: Party, beganUs: number) {
    this.#by = by;
    this.beganUs = beganUs;
  }

  /** A close frame has passed; the first of each peer counts. */
  closeFrame(by: 'client' | 'server', frame: CloseFrame, timeUs: number): void {
    const peer = this.#peer(by);
    if (peer.frame !== null) return;
    peer.frame = frame;
    peer.frameTimeUs = timeUs;
  }

  /** A peer has ended its direction. */
  ended(by: 'client' | 'server', how: Ending): void {
    this.#peer(by).how ??= how;
  }

  /** The proxy has ended both connections, with a close frame or without. */
  endedByProxy(close: { readonly code: number; readonly reason: string } | null, said: boolean): void {
    this.#proxyClose = close;
    this.#proxySaid = said;
  }

  record(): CloseRecord {
    const client = this.#client;
    const server = this.#server;
    // A close frame may have been the first sign, and still no peer has ended it.
    const by = this.#proxySaid && client.how === null && server.how === null ? 'proxy' : this.#by;
    const clean = client.frame !== null && server.frame !== null;
    const first = by === 'server' ? (server.frame ?? client.frame) : (client.frame ?? server.frame);
    const said = by === 'proxy' ? this.#proxyClose : first;
    const own = by === 'server' ? server : client;
    return {
      by,
      code: said?.code ?? null,
      reason: said?.reason ?? '',
      clean,
      how: clean ? 'closing-handshake' : (own.how ?? client.how ?? server.how ?? 'fin'),
      clientFrame: client.frame,
      serverFrame: server.frame,
      echoMs: clean ? Math.abs(client.frameTimeUs - server.frameTimeUs) / 1000 : null,
      clientEnding: client.how,
      serverEnding: server.how,
    };
  }

  #peer(by: 'client' | 'server'): PeerEnding {
    return by === 'client' ? this.#client : this.#server;
  }
}
