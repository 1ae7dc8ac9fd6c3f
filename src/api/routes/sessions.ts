import { Type } from 'typebox';
import { parseFilter } from '../../capture/filter.ts';
import { sessionMatches } from '../../capture/frame-search.ts';
import { TimeSlice } from '../../capture/time-slice.ts';
import type { SessionSummary } from '../../contract/session.ts';
import { FrametapError } from '../../errors.ts';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import { EmptyAnswer, Filter, SessionDetailAnswer, SessionId, SessionPageAnswer, SessionParams } from '../schema.ts';
import { SEARCH_MS, signalOf } from '../search.ts';

const PAGE = 1_000;

export function registerSessions(app: Api, { reader, messages, live }: RouteContext): void {
  app.get(
    '/api/sessions',
    {
      schema: {
        summary: 'Sessions, oldest first or newest first, paged',
        description:
          'A filtered page may be short, or empty, and still have a next one: a search is cut after a while.',
        querystring: Type.Object({
          filter: Type.Optional(Filter),
          after: Type.Optional(SessionId),
          order: Type.Union([Type.Literal('oldest'), Type.Literal('newest')], { default: 'oldest' }),
          limit: Type.Integer({ minimum: 1, maximum: PAGE, default: 100 }),
        }),
        response: { 200: SessionPageAnswer, ...errorAnswers },
      },
    },
    async (request, reply) => {
      const { filter: text = '', limit, order } = request.query;
      let { after } = request.query;
      const filter = parseFilter(text);
      const lookedUp = text.trim() === '' ? limit + 1 : PAGE;
      const { needsFrames } = filter;
      const slice = new TimeSlice({ signal: signalOf(reply) });
      const endMs = performance.now() + SEARCH_MS;
      const sessions: SessionSummary[] = [];
      let looked = 0;
      for (;;) {
        const page = reader.sessions({ limit: lookedUp, order, ...(after !== undefined && { after }) });
        for (const session of page) {
          const late = looked > 0 && performance.now() > endMs;
          if (sessions.length === limit || late) return { sessions, next: after ?? null, needsFrames };
          looked++;
          if (await sessionMatches({ reader, messages }, session, filter, { signal: signalOf(reply) })) {
            sessions.push(session);
          }
          after = session.id;
          if (slice.over) await slice.pause();
        }
        if (page.length < lookedUp) return { sessions, next: null, needsFrames };
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
