import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import { refusal, refusalFields } from '../answer.ts';
import { FrametapError } from '../../errors.ts';

/** The catalogue's error for whatever went wrong between us and the server. */
export function nameFailure(error: unknown): FrametapError {
  if (error instanceof FrametapError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code.startsWith('HPE_')) {
    return new FrametapError('upstream-bad-response', `The server's answer is not HTTP/1.1: ${message}.`, {
      cause: error,
    });
  }
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') {
    return new FrametapError('upstream-closed', undefined, { cause: error });
  }
  if (code === 'ETIMEDOUT') return new FrametapError('upstream-timeout', undefined, { cause: error });
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ENETDOWN') {
    return new FrametapError('upstream-unreachable', undefined, { cause: error });
  }
  return new FrametapError('internal', `The request could not be forwarded: ${message}`, { cause: error });
}

/** Answers in the server's place: the error's status, its reason and what the user can do. */
export function answerFailure(request: IncomingMessage, response: ServerResponse, error: FrametapError): void {
  const { body } = refusal(error);
  response.sendDate = true;
  // The reason is said because the server's own, where it was the fault, is still set.
  response.writeHead(error.status, STATUS_CODES[error.status] ?? '', [
    ...refusalFields(error).flat(),
    ...['Content-Length', String(body.length), 'Cache-Control', 'no-store'],
  ]);
  response.end(request.method === 'HEAD' ? undefined : body);
}
