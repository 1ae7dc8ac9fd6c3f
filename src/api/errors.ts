import type { FastifyError } from 'fastify';
import type { ApiError } from '../contract/api.ts';
import { ERRORS, FrametapError, type ErrorCode } from '../errors.ts';

export interface ErrorAnswer {
  readonly status: number;
  readonly body: ApiError;
}

/** @param message what this code means here; without it, what it means everywhere and what can be done */
export function errorAnswer(code: ErrorCode, message = `${ERRORS[code].means} ${ERRORS[code].remedy}`): ErrorAnswer {
  return { status: new FrametapError(code).status, body: { error: { code, message } } };
}

/**
 * What the caller is told of an error that a route, or Fastify itself, has thrown. Of our own faults it learns
 * nothing but that there was one; `fault` says that the log should have it.
 */
export function answerFor(error: FastifyError | FrametapError): ErrorAnswer & { readonly fault: boolean } {
  if (error instanceof FrametapError) {
    const { status, body } = errorAnswer(error.code, error.message);
    return { status, body: { error: { ...body.error, ...placeOf(error) } }, fault: status >= 500 };
  }
  if (error.validation !== undefined) {
    const [first] = error.validation;
    const place = `${error.validationContext ?? 'request'}${first?.instancePath ?? ''}`;
    return { ...errorAnswer('invalid-parameter', `${place} ${first?.message ?? 'is wrong'}.`), fault: false };
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    const code = status === 404 ? 'not-found' : 'invalid-parameter';
    return { status, body: { error: { code, message: error.message } }, fault: false };
  }
  return { ...errorAnswer('internal'), fault: true };
}

/** Where a filter is wrong, or a .proto file. */
function placeOf(error: FrametapError): Pick<ApiError['error'], 'position' | 'file' | 'line'> {
  return {
    ...('position' in error && typeof error.position === 'number' && { position: error.position }),
    ...('file' in error && typeof error.file === 'string' && { file: error.file }),
    ...('line' in error && typeof error.line === 'number' && { line: error.line }),
  };
}
