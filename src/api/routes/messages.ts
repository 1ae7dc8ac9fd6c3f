import { Type } from 'typebox';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import { bytesAnswer, Index, MessagePageAnswer, SessionIndexParams, SessionParams } from '../schema.ts';
import { sendMessage } from './frames.ts';
import { noSession } from './sessions.ts';

export function registerMessages(app: Api, { messages }: RouteContext): void {
  app.get(
    '/api/sessions/:id/messages',
    {
      schema: {
        summary: 'Messages, reassembled and inflated, from an index on',
        params: SessionParams,
        querystring: Type.Object({
          from: Type.Optional(Index),
          limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }),
        }),
        response: { 200: MessagePageAnswer, ...errorAnswers },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { from = 0, limit } = request.query;
      // One more than is wanted tells whether there is a next page.
      const rows = await messages.messages(id, from, limit + 1);
      if (rows === undefined) throw noSession(id);
      return { messages: rows.slice(0, limit), next: rows[limit]?.index ?? null };
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
