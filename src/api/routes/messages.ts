import { Type } from 'typebox';
import { parseFilter } from '../../capture/filter.ts';
import { TimeSlice } from '../../capture/time-slice.ts';
import type { MessageMatches, MessageReader } from '../../capture/message-reader.ts';
import type { MessagePage } from '../../contract/api.ts';
import type { MessageRow } from '../../contract/message.ts';
import { IndexLimit, Indexes, indexesOf } from '../indexes.ts';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import {
  bytesAnswer,
  Filter,
  Index,
  IndexPageAnswer,
  MessagePageAnswer,
  SessionIndexParams,
  SessionParams,
} from '../schema.ts';
import { SEARCH_MS, signalOf } from '../search.ts';
import { sendMessage } from './frames.ts';
import { noSession } from './sessions.ts';

const stretch = {
  from: Type.Optional(Index),
  to: Type.Optional(Index),
  fromFrame: Type.Optional(Index),
  toFrame: Type.Optional(Index),
};

export function registerMessages(app: Api, { messages }: RouteContext): void {
  app.get(
    '/api/sessions/:id/messages',
    {
      schema: {
        summary: 'Messages, reassembled and inflated, from an index on, or those with certain indexes',
        description:
          'A filtered page may be short, or empty, and still have a next one: a search is cut after a while. ' +
          'fromFrame and toFrame choose the messages that start with one of these frames.',
        params: SessionParams,
        querystring: Type.Object({
          ...stretch,
          limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }),
          filter: Type.Optional(Filter),
          indexes: Type.Optional(Indexes),
        }),
        response: { 200: MessagePageAnswer, ...errorAnswers },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const indexes = indexesOf(request.query);
      const signal = signalOf(reply);
      if (indexes !== null) return pageOf(messages, id, indexes, { limit: request.query.limit, signal });
      const page = await searchPage(messages, id, request.query, { signal });
      const { rows, next, first: firstHeldMessage, end: messageCount, growing, unreadable } = page;
      return { messages: rows, next, messageCount, firstHeldMessage, growing, unreadable };
    },
  );

  app.get(
    '/api/sessions/:id/messages/indexes',
    {
      schema: {
        summary: 'Which messages pass a filter',
        description: 'Far cheaper than their rows, which `indexes` gives of those that are looked at.',
        params: SessionParams,
        querystring: Type.Object({ ...stretch, limit: IndexLimit, filter: Type.Optional(Filter) }),
        response: { 200: IndexPageAnswer, ...errorAnswers },
      },
    },
    async (request, reply) => {
      const options = { rows: false, signal: signalOf(reply) };
      const { indexes, next, end, growing, unreadable } = await searchPage(
        messages,
        request.params.id,
        request.query,
        options,
      );
      return { indexes, next, end, growing, unreadable };
    },
  );

  app.get(
    '/api/sessions/:id/messages/:index/payload',
    {
      schema: {
        summary: "A message's inflated content, 8 MiB at most",
        params: SessionIndexParams,
        response: { 200: bytesAnswer('the content'), ...errorAnswers },
      },
    },
    (request, reply) => sendMessage(messages, request.params.id, request.params.index, reply),
  );
}

interface Query {
  readonly from?: number;
  readonly to?: number;
  readonly fromFrame?: number;
  readonly toFrame?: number;
  readonly limit: number;
  readonly filter?: string;
}

/** The messages that pass, as far as a request's time goes. */
async function searchPage(
  messages: MessageReader,
  id: string,
  { from = 0, to, fromFrame = 0, toFrame = Infinity, limit, filter: text = '' }: Query,
  { rows: wantsRows = true, signal }: { readonly rows?: boolean; readonly signal: AbortSignal },
): Promise<Omit<MessageMatches, 'next'> & { readonly next: number | null }> {
  const filter = text.trim() === '' ? null : parseFilter(text);
  const slice = new TimeSlice({ signal });
  const endMs = performance.now() + SEARCH_MS;
  const frames = { from: fromFrame, to: toFrame };
  const indexes: number[] = [];
  const rows: MessageRow[] = [];
  const growing = new Set<number>();
  let unreadable = 0;
  for (let next = from; ;) {
    const left = limit - indexes.length;
    const step = await messages.search(id, filter, { from: next, to, limit: left, frames, rows: wantsRows });
    if (step === undefined) throw noSession(id);
    indexes.push(...step.indexes);
    rows.push(...step.rows);
    for (const index of step.growing) growing.add(index);
    unreadable += step.unreadable;
    ({ next } = step);
    const ended = next >= step.end;
    if (!ended && indexes.length < limit && performance.now() < endMs) {
      if (slice.over) await slice.pause();
      continue;
    }
    const { first, end } = step;
    return { indexes, rows, next: ended ? null : next, first, end, growing: [...growing], unreadable };
  }
}

/** The messages that have these indexes, as far as a request's time goes. */
async function pageOf(
  messages: MessageReader,
  id: string,
  indexes: readonly number[],
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
): Promise<MessagePage> {
  const slice = new TimeSlice({ signal });
  const endMs = performance.now() + SEARCH_MS;
  const rows: MessageRow[] = [];
  const growing: number[] = [];
  let place = { first: 0, end: 0 };
  let next: number | null = null;
  for (const [at, index] of indexes.entries()) {
    if (at > 0 && (at === limit || performance.now() >= endMs)) {
      next = index;
      break;
    }
    const step = await messages.search(id, null, { from: index, to: index + 1, limit: 1 });
    if (step === undefined) throw noSession(id);
    rows.push(...step.rows);
    growing.push(...step.growing);
    place = step;
    if (slice.over) await slice.pause();
  }
  const { first: firstHeldMessage, end: messageCount } = place;
  return { messages: rows, next, messageCount, firstHeldMessage, growing: [...new Set(growing)], unreadable: 0 };
}
