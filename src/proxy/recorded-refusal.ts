import type { CaptureWriter } from '../capture/session-recorder.ts';
import type { Party, RequestHead, SessionMode } from '../contract/session.ts';
import { FrametapError } from '../errors.ts';
import { answerBytes, endWith, refusal } from './answer.ts';
import type { ClientConnection } from './client-connection.ts';
import { withoutProxyCredentials } from './proxy-authentication.ts';

/** A request that comes to nothing before it has become a session. */
export interface RefusedRequest {
  readonly connection: ClientConnection;
  readonly head: RequestHead;
  /** What the list of sessions shows. */
  readonly url: string;
  readonly mode: SessionMode;
}

/** Answers the client with the reason, and puts a failed session into the capture. */
export function refuseAndRecord(capture: CaptureWriter, refused: RefusedRequest, error: FrametapError): void {
  const { connection, head, url, mode } = refused;
  const { address, port, clientTls, socket, raw } = connection;
  const recorder = capture.openSession({ url, mode, client: { address, port } });
  const answer = refusal(error);
  recorder.update({
    clientTls,
    handshake: { clientRequest: withoutProxyCredentials(head), clientResponse: answer.head },
  });
  recorder.failed({ by: blameFor(error), code: error.code, message: error.message });
  endWith(socket, raw, answerBytes(answer));
}

/** Whose fault it is that an opening came to nothing. */
export function blameFor({ code }: FrametapError): Party {
  if (code.startsWith('upstream-')) return 'server';
  return code === 'internal' || code === 'target-is-frametap' || code === 'stopped' ? 'proxy' : 'client';
}

/** What was thrown, as something that can be answered with. */
export function asFrametapError(error: unknown): FrametapError {
  if (error instanceof FrametapError) return error;
  return new FrametapError('internal', error instanceof Error ? error.message : String(error), { cause: error });
}
