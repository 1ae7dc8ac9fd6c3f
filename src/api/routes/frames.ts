import { Type } from 'typebox';
import type { FastifyReply } from 'fastify';
import type { MessageReader } from '../../capture/message-reader.ts';
import type { FrameRow } from '../../contract/frame.ts';
import { FrametapError } from '../../errors.ts';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import { bytesAnswer, Filter, FramePageAnswer, Index, SessionIndexParams, SessionParams } from '../schema.ts';
import { frameFilter } from '../search.ts';
import { noSession } from './sessions.ts';

const MAX_PAGE = 5_000;
/** Rows that a search reads at once. */
const READ_ROWS = 500;
/** A filtered page ends after so long, with what was found, so that the first results come soon. */
const SEARCH_MS = 250;

export function registerFrames(app: Api, { reader, messages }: RouteContext): void {
  app.get(
    '/api/sessions/:id/frames',
    {
      schema: {
        summary: 'Frame rows from an index on',
        description:
          'A filtered page may be short, or empty, and still have a next one: a search is cut after a while.',
        params: SessionParams,
        querystring: Type.Object({
          from: Type.Optional(Index),
          limit: Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: 500 }),
          filter: Type.Optional(Filter),
        }),
        response: { 200: FramePageAnswer, ...errorAnswers },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { limit, filter } = request.query;
      const search = frameFilter(filter);
      const session = reader.session(id);
      if (session === undefined) throw noSession(id);
      const { frameCount, firstHeldFrame } = session;
      const endMs = performance.now() + SEARCH_MS;
      const found: FrameRow[] = [];
      let from = request.query.from ?? 0;
      while (found.length < limit && from < frameCount && performance.now() < endMs) {
        const rows = reader.frames(id, from, filter === undefined ? limit - found.length : READ_ROWS) ?? [];
        const seen = rows.filter((row) => row.index < frameCount);
        from = seen.length === 0 ? frameCount : from;
        for (const row of await withPreviews(messages, id, seen)) {
          if (found.length === limit) break;
          from = row.index + 1;
          if (search.matches(row)) found.push(row);
        }
        await search.pause();
      }
      const next = from < frameCount ? from : null;
      return { frames: found, next, frameCount, firstHeldFrame };
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
          'The header X-Frametap-Whole says whether these are all of the bytes.',
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
          throw new FrametapError('not-found', `Frame ${index} of session ${id} belongs to no message.`);
        }
        return sendMessage(messages, id, message.index, reply);
      }
      const frame = reader.frameBytes(id, index, plane);
      if (frame === undefined) throw new FrametapError('not-found', `There is no frame ${index} in session ${id}.`);
      if (frame.bytes.length === 0 && !frame.whole) throw new FrametapError('not-held');
      return sendBytes(reply, frame, `frametap-${id}-frame-${index}${plane === 'wire' ? '-wire' : ''}.bin`);
    },
  );
}

/** Sends the inflated content of one message. */
export async function sendMessage(
  messages: MessageReader,
  id: string,
  index: number,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const content = await messages.content(id, index);
  if (content === undefined) throw new FrametapError('not-found', `There is no message ${index} in session ${id}.`);
  if (content === null) throw new FrametapError('not-held', 'The message is no longer held, or cannot be inflated.');
  const whole = content.bytes.length === content.totalLength && content.row.complete;
  return sendBytes(reply, { bytes: content.bytes, whole }, `frametap-${id}-message-${index}.bin`);
}

/** Bytes of a stranger: to be saved, never to be shown by a browser as anything. */
function sendBytes(
  reply: FastifyReply,
  { bytes, whole }: { readonly bytes: Uint8Array; readonly whole: boolean },
  fileName: string,
): FastifyReply {
  return reply
    .type('application/octet-stream')
    .header('content-disposition', `attachment; filename="${fileName}"`)
    .header('x-frametap-whole', String(whole))
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
