import { Type } from 'typebox';
import type { FrameAttachments, MessagePlace } from '../../contract/attachments.ts';
import type { MessageRow } from '../../contract/message.ts';
import { attachmentCount, BINARY_HEAD_BYTES, isEngineBeat } from '../../decode/socket-io.ts';
import { FrametapError } from '../../errors.ts';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import { SessionIndexParams } from '../schema.ts';
import { noSession } from './sessions.ts';

/** So many attachments of a packet are named, and a binary message is not looked for behind more. */
const MAX_ATTACHMENTS = 100;
/** Of both directions, and not for longer than this. */
const MAX_MESSAGES = 1_000;
const LOOK_MS = 500;
const PAGE_MESSAGES = 100;

const NOTHING: FrameAttachments = { packet: null, count: 0, own: null, found: [] };
const Place = Type.Object({ frame: Type.Integer(), message: Type.Integer() });
const AttachmentsAnswer = Type.Unsafe<FrameAttachments>(
  Type.Object({
    packet: Type.Union([Place, Type.Null()]),
    count: Type.Integer(),
    own: Type.Union([Type.Integer(), Type.Null()]),
    found: Type.Array(Place),
  }),
);

export function registerAttachments(app: Api, sources: RouteContext): void {
  app.get(
    '/api/sessions/:id/frames/:index/attachments',
    {
      schema: {
        summary: "The Socket.IO packet of the frame's message and its binary attachments",
        description: `Asked of the packet or of an attachment; the first ${MAX_ATTACHMENTS} are named.`,
        params: SessionIndexParams,
        response: { 200: AttachmentsAnswer, ...errorAnswers },
      },
    },
    async (request): Promise<FrameAttachments> => {
      const { id, index } = request.params;
      if (sources.reader.session(id) === undefined) throw noSession(id);
      if (sources.reader.frames(id, index, 1)?.[0]?.index !== index) {
        throw new FrametapError('not-found', `There is no frame ${index} in session ${id}.`);
      }
      const row = await sources.messages.messageOfFrame(id, index);
      if (row === undefined) return NOTHING;
      const look = new Look(sources, id);
      const packet = row.type === 'text' ? row : await look.packetBefore(row);
      const count = packet === null ? 0 : attachmentCount(await look.startOf(packet));
      if (packet === null || count === 0) return NOTHING;
      const found = await look.attachmentsOf(packet, Math.min(count, MAX_ATTACHMENTS));
      const own = found.findIndex(({ message }) => message === row.index);
      if (row.type === 'binary' && own < 0) return NOTHING;
      return { packet: placeOf(packet), count, own: own < 0 ? null : own, found };
    },
  );
}

const placeOf = (row: MessageRow): MessagePlace => ({ frame: row.firstFrame, message: row.index });

/** One bounded look around in the messages of a session. */
class Look {
  readonly #messages: RouteContext['messages'];
  readonly #id: string;
  readonly #endMs = performance.now() + LOOK_MS;
  #left = MAX_MESSAGES;

  constructor({ messages }: RouteContext, id: string) {
    this.#messages = messages;
    this.#id = id;
  }

  async startOf(row: MessageRow): Promise<string> {
    const content = await this.#messages.content(this.#id, row.index, BINARY_HEAD_BYTES);
    return content?.bytes == null ? '' : new TextDecoder().decode(content.bytes);
  }

  /** The text message that a binary one follows in its direction, with nothing but binary ones and beats between. */
  async packetBefore(row: MessageRow): Promise<MessageRow | null> {
    let between = 0;
    for (let end = row.index; end > 0 && this.#goesOn();) {
      const from = Math.max(0, end - PAGE_MESSAGES);
      for (const before of (await this.#page(from, end - from)).reverse()) {
        if (before.direction !== row.direction) continue;
        if (before.type === 'text') {
          if (!isEngineBeat(await this.startOf(before))) return before;
        } else if (++between >= MAX_ATTACHMENTS) return null;
      }
      end = from;
    }
    return null;
  }

  /** The first `count` binary messages after a packet, up to another packet in its direction. */
  async attachmentsOf(packet: MessageRow, count: number): Promise<MessagePlace[]> {
    const found: MessagePlace[] = [];
    for (let from = packet.index + 1; this.#goesOn(); from += PAGE_MESSAGES) {
      const page = await this.#page(from, PAGE_MESSAGES);
      for (const row of page) {
        if (row.direction !== packet.direction) continue;
        if (row.type === 'binary') found.push(placeOf(row));
        else if (!isEngineBeat(await this.startOf(row))) return found;
        if (found.length >= count) return found;
      }
      if (page.length < PAGE_MESSAGES) break;
    }
    return found;
  }

  #goesOn(): boolean {
    return this.#left > 0 && performance.now() < this.#endMs;
  }

  async #page(from: number, limit: number): Promise<MessageRow[]> {
    this.#left -= limit;
    const rows = (await this.#messages.messages(this.#id, from, limit)) ?? [];
    return rows.filter(({ index }) => index >= from && index < from + limit);
  }
}
