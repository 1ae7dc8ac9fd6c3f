import { Type } from 'typebox';
import { parseFilter } from '../../capture/filter.ts';
import { TimeSlice } from '../../capture/time-slice.ts';
import type { MessageRow } from '../../contract/message.ts';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import { bytesAnswer, Filter, Index, MessagePageAnswer, SessionIndexParams, SessionParams } from '../schema.ts';
import { SEARCH_MS, signalOf } from '../search.ts';
import { sendMessage } from './frames.ts';
import { noSession } from './sessions.ts';

export function registerMessages(app: Api, { messages }: RouteContext): void {
  app.get(
    '/api/sessions/:id/messages',
    {
      schema: {
        summary: 'Messages, reassembled and inflated, from an index on',
        description:
          'A filtered page may be short, or empty, and still have a next one: a search is cut after a while. ' +
          'fromFrame and toFrame choose the messages that start with one of these frames.',
        params: SessionParams,
        querystring: Type.Object({
          from: Type.Optional(Index),
          to: Type.Optional(Index),
          fromFrame: Type.Optional(Index),
          toFrame: Type.Optional(Index),
          limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }),
          filter: Type.Optional(Filter),
        }),
        response: { 200: MessagePageAnswer, ...errorAnswers },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { from = 0, to, fromFrame, toFrame, limit, filter: text = '' } = request.query;
      const filter = text.trim() === '' ? null : parseFilter(text);
      const slice = new TimeSlice({ signal: signalOf(reply) });
      const endMs = performance.now() + SEARCH_MS;
      const frames = { from: fromFrame ?? 0, to: toFrame ?? Infinity };
      const rows: MessageRow[] = [];
      const growing = new Set<number>();
      let unreadable = 0;
      for (let next = from; ;) {
        const step = await messages.search(id, filter, { from: next, to, limit: limit - rows.length, frames });
        if (step === undefined) throw noSession(id);
        rows.push(...step.rows);
        for (const index of step.growing) growing.add(index);
        unreadable += step.unreadable;
        ({ next } = step);
        const ended = next >= step.end;
        if (!ended && rows.length < limit && performance.now() < endMs) {
          if (slice.over) await slice.pause();
          continue;
        }
        const { first: firstHeldMessage, end: messageCount } = step;
        return {
          messages: rows,
          next: ended ? null : next,
          messageCount,
          firstHeldMessage,
          growing: [...growing],
          unreadable,
        };
      }
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
