import { Type } from 'typebox';
import type { CaptureReader } from '../../capture/capture-reader.ts';
import type { MessageReader } from '../../capture/message-reader.ts';
import { TimeSlice } from '../../capture/time-slice.ts';
import type { FramePartner } from '../../contract/decoded.ts';
import { opcode } from '../../contract/frame-bits.ts';
import type { MessageRow } from '../../contract/message.ts';
import { decodeAs, decodings, type DecodeContext } from '../../decode/decoder.ts';
import { PAIRING_DECODERS, pairingsOf, type Pairing } from '../../decode/pairing.ts';
import { frameContent } from '../frame-content.ts';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import { SessionIndexParams } from '../schema.ts';
import { signalOf } from '../search.ts';
import { noSession } from './sessions.ts';

/** The partner is looked for among so many messages, and not for longer than this. */
const MAX_MESSAGES = 2_000;
const PARTNER_MS = 1_000;
const PAGE_MESSAGES = 100;
/** The id of a longer message is not looked for behind this. */
const MAX_PART_BYTES = 64 * 1024;
/** Below this the decoder guesses: then the message is said to pair only where its partner was found. */
const SURE_SCORE = 0.3;

const NOTHING: FramePartner = { role: null, protocol: null, frame: null, message: null, latencyMs: null };
const PartnerAnswer = Type.Unsafe<FramePartner>(
  Type.Object({
    role: Type.Union([Type.String({ enum: ['request', 'answer'] }), Type.Null()]),
    protocol: Type.Union([Type.String(), Type.Null()]),
    frame: Type.Union([Type.Integer(), Type.Null()]),
    message: Type.Union([Type.Integer(), Type.Null()]),
    latencyMs: Type.Union([Type.Number(), Type.Null()]),
  }),
);

interface Sources {
  readonly reader: CaptureReader;
  readonly messages: MessageReader;
}
/** Whose partner is looked for. */
interface Wanted extends Pairing {
  readonly id: string;
  readonly row: MessageRow;
  readonly protocol: string;
  readonly context: Omit<DecodeContext, 'opcode'>;
}

export function registerPartner(app: Api, sources: RouteContext): void {
  app.get(
    '/api/sessions/:id/frames/:index/partner',
    {
      schema: {
        summary: "The answer to the request in the frame's message, or the request that it answers",
        description: `JSON-RPC, socket.io acknowledgements, graphql-ws and SignalR; among the next ${MAX_MESSAGES} messages.`,
        params: SessionIndexParams,
        response: { 200: PartnerAnswer, ...errorAnswers },
      },
    },
    async (request, reply): Promise<FramePartner> => {
      const { id, index } = request.params;
      const session = sources.reader.session(id);
      if (session === undefined) throw noSession(id);
      const { bytes, opcode: code, message: row } = await frameContent(sources, id, index);
      if (row === undefined) return NOTHING;
      const context = { url: session.url, subprotocol: session.subprotocol };
      for (const decoded of decodings(bytes, { ...context, opcode: code })) {
        const [pairing] = PAIRING_DECODERS.includes(decoded.name) ? pairingsOf(decoded) : [];
        if (pairing === undefined) continue;
        const wanted: Wanted = { ...pairing, id, row, protocol: decoded.name, context };
        const partner = await findPartner(sources, wanted, new TimeSlice({ signal: signalOf(reply) }));
        if (partner !== null) return describe(sources.reader, wanted, partner);
        return decoded.score < SURE_SCORE ? NOTHING : { ...NOTHING, role: pairing.role, protocol: decoded.name };
      }
      return NOTHING;
    },
  );
}

/** Answers stand behind their request, the nearest first; requests before their answer. */
async function findPartner(sources: Sources, wanted: Wanted, slice: TimeSlice): Promise<MessageRow | null> {
  const forward = wanted.role === 'request';
  const endMs = performance.now() + PARTNER_MS;
  const own = wanted.row.index;
  for (let looked = 0; looked < MAX_MESSAGES && performance.now() < endMs; looked += PAGE_MESSAGES) {
    const from = forward ? own + 1 + looked : Math.max(0, own - looked - PAGE_MESSAGES);
    const limit = forward ? PAGE_MESSAGES : Math.min(PAGE_MESSAGES, own - looked - from);
    if (limit <= 0) return null;
    const page = (await sources.messages.messages(wanted.id, from, limit)) ?? [];
    const opposite = page.filter(({ direction, index }) => direction !== wanted.row.direction && index < from + limit);
    const found = await firstMatch(sources, wanted, forward ? opposite : opposite.reverse(), slice);
    if (found !== null) return found;
    if (forward ? page.length < limit : from === 0) return null;
  }
  return null;
}

async function firstMatch(
  { reader, messages }: Sources,
  wanted: Wanted,
  rows: readonly MessageRow[],
  slice: TimeSlice,
): Promise<MessageRow | null> {
  const frames = rows.filter(({ compressed }) => compressed).map(({ firstFrame }) => firstFrame);
  const inflated = frames.length === 0 ? null : await messages.contents(wanted.id, frames, MAX_PART_BYTES);
  for (const row of rows) {
    if (slice.over) await slice.pause();
    const simple = !row.compressed && row.frameCount === 1;
    const bytes = row.compressed
      ? inflated?.get(row.firstFrame)?.bytes
      : simple
        ? reader.frameBytes(wanted.id, row.firstFrame, 'payload')?.bytes
        : (await messages.content(wanted.id, row.index, MAX_PART_BYTES))?.bytes;
    if (bytes == null || bytes.length === 0) continue;
    const context = { ...wanted.context, opcode: row.type === 'text' ? 1 : 2 };
    const decoded = decodeAs(wanted.protocol, bytes.subarray(0, MAX_PART_BYTES), context);
    if (decoded === null) continue;
    if (pairingsOf(decoded).some(({ role, key }) => role !== wanted.role && key === wanted.key)) return row;
  }
  return null;
}

function describe(reader: CaptureReader, wanted: Wanted, partner: MessageRow): FramePartner {
  const [request, answer] = wanted.role === 'request' ? [wanted.row, partner] : [partner, wanted.row];
  const fromUs = timeUsOf(reader, wanted.id, request.lastFrame);
  const toUs = timeUsOf(reader, wanted.id, answer.firstFrame);
  return {
    role: wanted.role,
    protocol: wanted.protocol,
    frame: partner.firstFrame,
    message: partner.index,
    latencyMs: fromUs === null || toUs === null ? null : (toUs - fromUs) / 1000,
  };
}

function timeUsOf(reader: CaptureReader, id: string, index: number): number | null {
  let timeUs: number | null = null;
  reader.visitFrames(id, index, 1, (row) => {
    if (row.index === index && opcode(row.bits) < 8) ({ timeUs } = row);
  });
  return timeUs;
}
