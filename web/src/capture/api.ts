import type { FrameAttachments } from '../../../src/contract/attachments.ts';
import type { FramePage, IndexPage, MessagePage, SessionPage } from '../../../src/contract/api.ts';
import type { DecodedFrame, FilterCompletions, FramePartner } from '../../../src/contract/decoded.ts';
import type { LoadedProtos, ProtoText } from '../../../src/contract/protos.ts';
import type { SessionDetail } from '../../../src/contract/session.ts';
import type { Status } from '../../../src/contract/status.ts';

/** An answer of the API that is not a success. `position` is the offset in a filter where it is wrong. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly position: number | null;

  constructor(status: number, code: string, message: string, position: number | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.position = position;
  }
}

interface ErrorBody {
  readonly error?: { readonly code?: string; readonly message?: string; readonly position?: number };
}

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, { credentials: 'same-origin', ...init });
  if (response.ok) return response;
  let body: ErrorBody;
  try {
    body = (await response.json()) as ErrorBody;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    body = { error: { message: `The server answered ${response.status}.` } };
  }
  const message = body.error?.message ?? `The server answered ${response.status}.`;
  const position = body.error?.position ?? positionIn(message);
  throw new ApiError(response.status, body.error?.code ?? 'internal', message, position);
}

/** A filter error says in words where it is, counted from 1. */
function positionIn(message: string): number | null {
  const match = /^At character (\d+)/.exec(message);
  return match?.[1] === undefined ? null : Number(match[1]) - 1;
}

async function answer<T>(path: string, init: RequestInit): Promise<T> {
  const response = await request(path, init);
  return (await response.json()) as T;
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return answer(path, signal === undefined ? {} : { signal });
}

function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') pairs.set(name, String(value));
  }
  const text = pairs.toString();
  return text === '' ? '' : `?${text}`;
}

const sessionPath = (id: string): string => `/api/sessions/${encodeURIComponent(id)}`;

export const fetchStatus = (): Promise<Status> => get('/api/status');

export const fetchSessions = (
  page: {
    readonly after?: string;
    readonly limit: number;
    readonly filter?: string;
    readonly order?: 'oldest' | 'newest';
  },
  signal?: AbortSignal,
): Promise<SessionPage> => get(`/api/sessions${query({ ...page })}`, signal);

export const fetchSession = (id: string, signal?: AbortSignal): Promise<SessionDetail> => get(sessionPath(id), signal);

/** Rows that are asked for by index, at most so many. */
export const MAX_INDEXES = 500;
export const listOf = (indexes: readonly number[]): string => indexes.slice(0, MAX_INDEXES).join(',');

export const fetchFrames = (
  id: string,
  page: {
    readonly from?: number;
    readonly to?: number | undefined;
    readonly limit: number;
    readonly filter?: string;
    /** Instead of a stretch: see `listOf`. */
    readonly indexes?: string;
  },
  signal?: AbortSignal,
): Promise<FramePage> => get(`${sessionPath(id)}/frames${query({ ...page })}`, signal);

export const fetchFrameIndexes = (
  id: string,
  page: { readonly from: number; readonly filter: string },
  signal?: AbortSignal,
): Promise<IndexPage> => get(`${sessionPath(id)}/frames/indexes${query({ ...page })}`, signal);

export const fetchMessageIndexes = (
  id: string,
  page: {
    readonly from: number;
    readonly fromFrame?: number | undefined;
    readonly toFrame?: number | undefined;
    readonly filter: string;
  },
  signal?: AbortSignal,
): Promise<IndexPage> => get(`${sessionPath(id)}/messages/indexes${query({ ...page })}`, signal);

export const fetchMessages = (
  id: string,
  page: {
    readonly from?: number;
    readonly to?: number | undefined;
    readonly fromFrame?: number | undefined;
    readonly toFrame?: number | undefined;
    readonly limit: number;
    readonly filter?: string | undefined;
    readonly indexes?: string;
  },
  signal?: AbortSignal,
): Promise<MessagePage> => get(`${sessionPath(id)}/messages${query({ ...page })}`, signal);

/** The frame's message, decoded; `as` names the decoder and is remembered for URL and direction, `auto` forgets. */
export const fetchDecoded = (
  id: string,
  index: number,
  as: string | undefined,
  signal?: AbortSignal,
): Promise<DecodedFrame> => get(`${sessionPath(id)}/frames/${index}/decoded${query({ as })}`, signal);

export const fetchPartner = (id: string, index: number, signal?: AbortSignal): Promise<FramePartner> =>
  get(`${sessionPath(id)}/frames/${index}/partner`, signal);

export const fetchAttachments = (id: string, index: number, signal?: AbortSignal): Promise<FrameAttachments> =>
  get(`${sessionPath(id)}/frames/${index}/attachments`, signal);

export const fetchProtos = (): Promise<LoadedProtos> => get('/api/protos');

export const loadProtos = (files: readonly ProtoText[]): Promise<LoadedProtos> =>
  answer('/api/protos', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ files }),
  });

/** Without a name: all of them. */
export const removeProtos = (name?: string): Promise<LoadedProtos> =>
  answer(`/api/protos${query({ name })}`, { method: 'DELETE' });

export const fetchCompletions = (text: string, cursor: number, signal?: AbortSignal): Promise<FilterCompletions> =>
  get(`/api/filter/completions?${new URLSearchParams({ text, cursor: String(cursor) }).toString()}`, signal);

/** Which bytes: of one frame, unmasked; of one frame as on the wire; of the whole inflated message. */
export type Plane = 'payload' | 'wire' | 'message';

export interface PayloadBytes {
  readonly bytes: Uint8Array;
  /** False where reading stopped at `maxBytes`, or the server holds less than the whole. */
  readonly whole: boolean;
  /** False where the server holds less than the whole. */
  readonly held: boolean;
  /** More may come of what is read. */
  readonly growing: boolean;
}

export const framePayloadPath = (id: string, index: number, plane: Plane): string =>
  `${sessionPath(id)}/frames/${index}/payload${plane === 'payload' ? '' : `?plane=${plane}`}`;

export const messagePayloadPath = (id: string, index: number): string => `${sessionPath(id)}/messages/${index}/payload`;

/** Reads at most `maxBytes` and then hangs up: nobody looks at all of a gigabyte. */
export async function fetchBytes(path: string, maxBytes: number, signal?: AbortSignal): Promise<PayloadBytes> {
  const response = await request(path, signal === undefined ? {} : { signal });
  const reader = response.body?.getReader();
  const held = response.headers.get('x-frametap-whole') !== 'false';
  const growing = response.headers.get('x-frametap-growing') === 'true';
  if (reader === undefined) return { bytes: new Uint8Array(await response.arrayBuffer()), whole: held, held, growing };
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    if (length >= maxBytes) {
      await reader.cancel();
      break;
    }
  }
  const whole = held && length < maxBytes;
  const bytes = new Uint8Array(Math.min(length, maxBytes));
  let at = 0;
  for (const part of parts) {
    const rest = part.subarray(0, bytes.length - at);
    bytes.set(rest, at);
    at += rest.length;
  }
  return { bytes, whole, held, growing: growing && length < maxBytes };
}

export async function deleteSession(id: string): Promise<void> {
  await request(sessionPath(id), { method: 'DELETE' });
}

export async function clearCapture(): Promise<void> {
  await request('/api/clear', { method: 'POST' });
}

export async function setRecording(recording: boolean): Promise<void> {
  await request('/api/recording', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ recording }),
  });
}

export const exportPath = (options: { readonly session?: string; readonly filter?: string }): string =>
  `/api/export${query({ format: 'json', ...options })}`;
