import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { parseFilter } from '../../capture/filter.ts';
import { searchSteps, sessionMatches } from '../../capture/frame-search.ts';
import { EXPORT_FORMATS, exporterFor } from '../../export/exporter.ts';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import { Filter, SessionId } from '../schema.ts';
import { signalOf } from '../search.ts';
import { noSession } from './sessions.ts';

export function registerExport(app: Api, { reader, messages, version }: RouteContext): void {
  app.get(
    '/api/export',
    {
      schema: {
        summary: 'The capture, or one session of it, as a file',
        description: `A filter chooses sessions, and of those that pass by one of their frames the frames and messages that do. Cookies and credentials are redacted unless secrets=include. Formats: ${EXPORT_FORMATS.join(', ')}.`,
        querystring: Type.Object({
          format: Type.Optional(Type.String({ default: 'json' })),
          session: Type.Optional(SessionId),
          filter: Type.Optional(Filter),
          secrets: Type.Optional(
            Type.Unsafe<'include' | 'redact'>(Type.String({ enum: ['include', 'redact'], default: 'redact' })),
          ),
        }),
        response: {
          200: { description: 'the capture', content: { 'application/json': { schema: Type.Unsafe<unknown>({}) } } },
          ...errorAnswers,
        },
      },
    },
    (request, reply) => {
      const { format = 'json', session, filter = '', secrets } = request.query;
      const exporter = exporterFor(format);
      if (session !== undefined && reader.session(session) === undefined) throw noSession(session);
      const chosen = parseFilter(filter);
      const signal = signalOf(reply);
      const exportedAt = new Date();
      const pieces = exporter.write({
        reader,
        messages,
        generator: `frametap ${version}`,
        exportedAt,
        withSecrets: secrets === 'include',
        wanted: async (candidate) =>
          (session === undefined || candidate.id === session) &&
          sessionMatches({ reader, messages }, candidate, chosen, { signal }),
        ...(filter.trim() !== '' && {
          filter: {
            text: filter,
            of: chosen,
            search: (id: string) => searchSteps({ reader, messages }, id, chosen, { signal }),
          },
        }),
      });
      const scope = session === undefined ? '' : `-session-${session}`;
      const stamp = exportedAt.toISOString().slice(0, 19).replaceAll(':', '-');
      return reply
        .type(exporter.contentType)
        .header('content-disposition', `attachment; filename="frametap${scope}-${stamp}.${exporter.extension}"`)
        .send(Readable.from(pieces, { objectMode: false }));
    },
  );
}
