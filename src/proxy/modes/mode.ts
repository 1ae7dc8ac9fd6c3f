import type { RequestHead, SessionMode } from '../../contract/session.ts';
import type { ClientConnection } from '../client-connection.ts';
import type { Origin } from '../leg.ts';

/** Where a request goes and what the server is to read. */
export interface Route {
  readonly mode: SessionMode;
  readonly origin: Origin;
  /** The request target for the server. */
  readonly target: string;
  /** Takes the place of the Host field's value. */
  readonly host?: string;
}

/** One way in which a client says where it wants to go. */
export interface Mode {
  readonly name: SessionMode;
  /**
   * Null where the request is not of this mode.
   * @throws {FrametapError} `target-invalid`
   */
  route(head: RequestHead, connection: ClientConnection): Route | null;
}
