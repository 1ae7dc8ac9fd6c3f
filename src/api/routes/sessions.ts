import { Type } from 'typebox';
import type { SessionSummary } from '../../contract/session.ts';
import { FrametapError } from '../../errors.ts';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import { EmptyAnswer, Filter, SessionDetailAnswer, SessionId, SessionPageAnswer, SessionParams } from '../schema.ts';
import { sessionFilter } from '../search.ts';

const PAGE = 1_000;

export function registerSessions(app: Api, { reader, live }: RouteContext): void {
  app.get(
    '/api/sessions',
    {
      schema: {
        summary: 'Sessions, oldest first, paged',
        querystring: Type.Object({
          filter: Type.Optional(Filter),
          after: Type.Optional(SessionId),
          limit: Type.Integer({ minimum: 1, maximum: PAGE, default: 100 }),
        }),
        response: { 200: SessionPageAnswer, ...errorAnswers },
      },
    },
    async (request) => {
      const { filter, limit } = request.query;
      let after = request.query.after;
      const search = sessionFilter(filter);
      const sessions: SessionSummary[] = [];
      for (;;) {
        const page = reader.sessions({ limit: PAGE, ...(after !== undefined && { after }) });
        for (const session of page) {
          if (sessions.length === limit) return { sessions, next: after ?? null };
          after = session.id;
          if (search.matches(session)) sessions.push(session);
        }
        if (page.length < PAGE) return { sessions, next: null };
        await search.pause();
      }
    },
  );

  app.get(
    '/api/sessions/:id',
    {
      schema: {
        summary: 'One session with both handshakes, TLS, timings and close',
        params: SessionParams,
        response: { 200: SessionDetailAnswer, ...errorAnswers },
      },
    },
    (request) => {
      const session = reader.session(request.params.id);
      if (session === undefined) throw noSession(request.params.id);
      return session;
    },
  );

  app.delete(
    '/api/sessions/:id',
    {
      schema: {
        summary: 'Frees what the session holds; an open one goes on, empty',
        params: SessionParams,
        response: { 204: EmptyAnswer, ...errorAnswers },
      },
    },
    (request, reply) => {
      if (!reader.deleteSession(request.params.id)) throw noSession(request.params.id);
      live.poke();
      void reply.code(204).send(null);
    },
  );
}

export function noSession(id: string): FrametapError {
  return new FrametapError('not-found', `There is no session ${id}.`);
}
