import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { Api } from './route-context.ts';

const NOT_BUILT =
  'The dashboard has not been built: run "npm run build" in the checkout, then start Frametap again.\n' +
  'The API works without it: see /api/openapi.json.\n';

/** Serves the built dashboard, or says that there is none. */
export async function registerPages(app: Api, webRoot: string): Promise<void> {
  if (!existsSync(join(webRoot, 'index.html'))) {
    app.get('/', { schema: { hide: true } }, (_request, reply) =>
      reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT),
    );
    return;
  }
  await app.register(fastifyStatic, {
    root: webRoot,
    schemaHide: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      // The build names its assets by their content; the page that names them is asked for each time.
      const unchanging = path.startsWith(join(webRoot, 'assets'));
      void reply.header('cache-control', unchanging ? 'private, max-age=31536000, immutable' : 'no-cache');
    },
  });
}
