import { Type } from 'typebox';
import { errorAnswer } from '../errors.ts';
import { errorAnswers, type Api } from '../route-context.ts';

const Health = Type.Object({ status: Type.String() });

/** For whoever watches the process: no token, and nothing told but this. */
export function registerHealth(app: Api, { ready }: { readonly ready: () => boolean }): void {
  const security: [] = [];
  app.get(
    '/healthz',
    { schema: { summary: 'The process answers', security, response: { 200: Health, ...errorAnswers } } },
    () => ({ status: 'ok' }),
  );
  app.get(
    '/readyz',
    { schema: { summary: 'Frametap takes work', security, response: { 200: Health, ...errorAnswers } } },
    (_request, reply) => {
      if (ready()) return { status: 'ready' };
      reply.code(503);
      return errorAnswer('stopped').body;
    },
  );
}
