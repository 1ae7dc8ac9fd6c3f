import { Type } from 'typebox';
import type { FastifyReply } from 'fastify';
import type { CaptureReader } from '../../capture/capture-reader.ts';
import { parseFilter, type Filter } from '../../capture/filter.ts';
import { searchSteps } from '../../capture/frame-search.ts';
import type { MessageReader } from '../../capture/message-reader.ts';
import type { FrameRow } from '../../contract/frame.ts';
import { FrametapError } from '../../errors.ts';
import { isGrowing, messageContent } from '../frame-content.ts';
import { IndexLimit, Indexes, indexesOf } from '../indexes.ts';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import {
  bytesAnswer,
  Filter as FilterText,
  FramePageAnswer,
  Index,
  IndexPageAnswer,
  SessionIndexParams,
  SessionParams,
} from '../schema.ts';
import { SEARCH_MS, signalOf } from '../search.ts';
import { noSession } from './sessions.ts';

const MAX_PAGE = 5_000;

interface PageRange {
  readonly from: number;
  readonly limit: number;
  /** Frames with this index, and later ones, were not asked for, or came afterwards. */
  readonly end: number;
}
interface Page {
  readonly rows: readonly FrameRow[];
  readonly next: number | null;
  readonly growing: readonly number[];
  readonly unreadable: number;
}

export function registerFrames(app: Api, context: RouteContext): void {
  const { reader, messages } = context;
  app.get(
    '/api/sessions/:id/frames',
    {
      schema: {
        summary: 'Frame rows from an index on, or those with certain indexes',
        description:
          'A filtered page may be short, or empty, and still have a next one: a search is cut after a while.',
        params: SessionParams,
        querystring: Type.Object({
          from: Type.Optional(Index),
          to: Type.Optional(Index),
          limit: Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: 500 }),
          filter: Type.Optional(FilterText),
          indexes: Type.Optional(Indexes),
        }),
        response: { 200: FramePageAnswer, ...errorAnswers },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { from = 0, to = Infinity, limit, filter: text } = request.query;
      const filter = parseFilter(text ?? '');
      const session = reader.session(id);
      if (session === undefined) throw noSession(id);
      const { frameCount, firstHeldFrame } = session;
      const end = Math.min(frameCount, to);
      const indexes = indexesOf(request.query);
      const page =
        indexes !== null
          ? readRows(reader, id, indexes, limit)
          : text === undefined || text.trim() === ''
            ? readPage(reader, id, { from, limit, end })
            : await searchPage(context, id, filter, { from, limit, end, signal: signalOf(reply) });
      const frames = await withPreviews(messages, id, page.rows);
      return {
        frames,
        next: page.next,
        frameCount,
        firstHeldFrame,
        growing: page.growing,
        unreadable: page.unreadable,
      };
    },
  );

  app.get(
    '/api/sessions/:id/frames/indexes',
    {
      schema: {
        summary: 'Which frames pass a filter',
        description: 'Far cheaper than their rows, which `indexes` gives of those that are looked at.',
        params: SessionParams,
        querystring: Type.Object({
          from: Type.Optional(Index),
          to: Type.Optional(Index),
          limit: IndexLimit,
          filter: Type.Optional(FilterText),
        }),
        response: { 200: IndexPageAnswer, ...errorAnswers },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { from = 0, to = Infinity, limit, filter: text = '' } = request.query;
      const filter = parseFilter(text);
      const session = reader.session(id);
      if (session === undefined) throw noSession(id);
      const end = Math.min(session.frameCount, to);
      const page = await searchIndexes(context, id, filter, { from, limit, end, signal: signalOf(reply) });
      return { ...page, end: session.frameCount };
    },
  );

  app.get(
    '/api/sessions/:id/frames/:index/payload',
    {
      schema: {
        summary: "A frame's payload as bytes",
        description:
          'plane=payload: unmasked, as it went over the wire otherwise; plane=wire: header, masking key and masked ' +
          'payload as received; plane=message: the whole message that the frame belongs to, inflated. ' +
          'The header X-Frametap-Whole says whether these are all of the bytes, X-Frametap-Growing whether more may ' +
          'come. Of a compressed message there is nothing before the last has come.',
        params: SessionIndexParams,
        querystring: Type.Object({
          plane: Type.Unsafe<'payload' | 'wire' | 'message'>(
            Type.String({ enum: ['payload', 'wire', 'message'], default: 'payload' }),
          ),
        }),
        response: { 200: bytesAnswer('the bytes'), ...errorAnswers },
      },
    },
    async (request, reply) => {
      const { id, index } = request.params;
      const { plane } = request.query;
      if (plane === 'message') {
        const message = await messages.messageOfFrame(id, index);
        if (message === undefined) {
          const first = reader.session(id)?.firstHeldFrame ?? 0;
          if (index < first) throw new FrametapError('not-held', `Frame ${index} was evicted.`);
          throw new FrametapError('not-found', `Frame ${index} of session ${id} belongs to no message.`);
        }
        return sendMessage(messages, id, message.index, reply);
      }
      const frame = reader.frameBytes(id, index, plane);
      if (frame === undefined && index < (reader.session(id)?.frameCount ?? 0)) throw new FrametapError('not-held');
      if (frame === undefined) throw new FrametapError('not-found', `There is no frame ${index} in session ${id}.`);
      const growing = isGrowing(reader, id, reader.frames(id, index, 1)?.[0] ?? { complete: true });
      if (frame.bytes.length === 0 && !frame.whole && !growing) throw new FrametapError('not-held');
      return sendBytes(
        reply,
        { ...frame, growing },
        `frametap-${id}-frame-${index}${plane === 'wire' ? '-wire' : ''}.bin`,
      );
    },
  );
}

function readPage(reader: CaptureReader, id: string, { from, limit, end }: PageRange): Page {
  const rows = (reader.frames(id, from, limit) ?? []).filter(({ index }) => index < end);
  const next = (rows.at(-1)?.index ?? end) + 1;
  return { rows, next: rows.length === limit && next < end ? next : null, growing: [], unreadable: 0 };
}

function readRows(reader: CaptureReader, id: string, indexes: readonly number[], limit: number): Page {
  const rows = indexes.slice(0, limit).flatMap((index) => rowAt(reader, id, index));
  return { rows, next: indexes[limit] ?? null, growing: [], unreadable: 0 };
}

/** None where it was evicted, or not recorded. */
const rowAt = (reader: CaptureReader, id: string, index: number): readonly FrameRow[] =>
  (reader.frames(id, index, 1) ?? []).filter((row) => row.index === index);

async function searchPage(
  context: RouteContext,
  id: string,
  filter: Filter,
  range: PageRange & { readonly signal: AbortSignal },
): Promise<Page> {
  const { indexes, ...page } = await searchIndexes(context, id, filter, range);
  return { ...page, rows: indexes.flatMap((index) => rowAt(context.reader, id, index)) };
}

async function searchIndexes(
  { reader, messages }: RouteContext,
  id: string,
  filter: Filter,
  { from, limit, end, signal }: PageRange & { readonly signal: AbortSignal },
): Promise<Omit<Page, 'rows'> & { readonly indexes: readonly number[] }> {
  const endMs = performance.now() + SEARCH_MS;
  const indexes: number[] = [];
  const growing: number[] = [];
  let unreadable = 0;
  for await (const step of searchSteps({ reader, messages }, id, filter, { from, signal })) {
    growing.push(...step.growing.filter((index) => index < end));
    const stop = step.indexes[limit - indexes.length] ?? step.next;
    unreadable += step.unreadable.filter((index) => index < Math.min(stop, end)).length;
    for (const index of step.indexes) {
      if (index >= end) return { indexes, next: null, growing, unreadable };
      if (indexes.length === limit) return { indexes, next: index, growing, unreadable };
      indexes.push(index);
    }
    if (step.next >= end) break;
    if (indexes.length === limit || performance.now() >= endMs)
      return { indexes, next: step.next, growing, unreadable };
  }
  return { indexes, next: null, growing, unreadable };
}

/** Sends the inflated content of one message. */
export async function sendMessage(
  messages: MessageReader,
  id: string,
  index: number,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { bytes, totalLength, growing, row } = await messageContent(messages, id, index);
  const whole = bytes.length === totalLength && row.complete;
  return sendBytes(reply, { bytes, whole, growing }, `frametap-${id}-message-${index}.bin`);
}

/** Bytes of a stranger: to be saved, never to be shown by a browser as anything. */
function sendBytes(
  reply: FastifyReply,
  { bytes, whole, growing }: { readonly bytes: Uint8Array; readonly whole: boolean; readonly growing: boolean },
  fileName: string,
): FastifyReply {
  return reply
    .type('application/octet-stream')
    .header('content-disposition', `attachment; filename="${fileName}"`)
    .header('x-frametap-whole', String(whole))
    .header('x-frametap-growing', String(growing))
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** Fills in what the store cannot read by itself: the start of compressed messages. */
async function withPreviews(messages: MessageReader, id: string, rows: readonly FrameRow[]): Promise<FrameRow[]> {
  const unreadable = rows.filter((row) => row.preview === null && row.opcode < 8 && row.payloadLength > 0);
  if (unreadable.length === 0) return [...rows];
  const previews = await messages.previews(
    id,
    unreadable.map((row) => row.index),
  );
  return rows.map((row) => (row.preview === null ? { ...row, preview: previews.get(row.index) ?? null } : row));
}
