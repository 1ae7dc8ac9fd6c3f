import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hostAllowed, originAllowed, type Auth } from './auth.ts';
import { errorAnswer } from './errors.ts';
import type { ErrorCode } from '../errors.ts';

const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;
/** Answered to anybody who asks by one of our names: they say nothing. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);
const LIVE_PATH = '/api/live';

export interface GuardOptions {
  readonly auth: () => Auth;
  readonly authorities: () => ReadonlySet<string>;
  /** The one-time code has just been used up. */
  readonly onLoginCodeUsed: () => void;
}

/** Stands before every route, known or not, and before the WebSocket upgrade: names, origin, login, token. */
export function registerGuard(app: FastifyInstance, options: GuardOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    const { path, search } = splitTarget(request);
    if (path === undefined || path.startsWith('/api/')) reply.header('cache-control', 'no-store');
    const authorities = options.authorities();
    if (path === undefined || !hostAllowed(request.raw, authorities)) return refuse(reply, 'host-not-allowed');
    if (!originAllowed(request.raw, authorities)) return refuse(reply, 'origin-not-allowed');
    if (OPEN_PATHS.has(path) && !request.ws) return;
    const auth = options.auth();
    if (path === '/' && request.method === 'GET' && search.has('token')) {
      return logIn(request, reply, search.getAll('token'), auth, options.onLoginCodeUsed);
    }
    if (!auth.admits(request.raw)) return refuseStranger(request, reply, path);
    if (request.ws && path !== LIVE_PATH) return refuse(reply, 'not-found');
  });
}

/**
 * The path exactly as Fastify will route it: nothing here may understand a target in another way than the router.
 * A target that is no path (absolute form, `*`) is meant for a proxy, and this is none.
 */
function splitTarget(request: FastifyRequest): { readonly path?: string; readonly search: URLSearchParams } {
  const [path = '', ...search] = (request.raw.url ?? '').split('?');
  return { search: new URLSearchParams(search.join('?')), ...(path.startsWith('/') && { path }) };
}

function logIn(
  request: FastifyRequest,
  reply: FastifyReply,
  secrets: readonly string[],
  auth: Auth,
  onLoginCodeUsed: () => void,
): FastifyReply {
  const code = auth.loginCode();
  const [secret] = secrets;
  const cookie = secrets.length === 1 && secret !== undefined ? auth.login(secret) : undefined;
  reply.header('cache-control', 'no-store');
  if (cookie !== undefined) reply.header('set-cookie', cookie);
  // A browser that is already in, and opens its used-up address again, is let through.
  else if (!auth.admits(request.raw)) return refuseStranger(request, reply, '/');
  if (auth.loginCode() !== code) onLoginCodeUsed();
  return reply.code(303).header('location', '/').send();
}

function refuse(reply: FastifyReply, code: ErrorCode): FastifyReply {
  const { status, body } = errorAnswer(code);
  return reply.code(status).send(body);
}

/** Without a token: JSON for programs, a sentence for people. */
function refuseStranger(request: FastifyRequest, reply: FastifyReply, path: string): FastifyReply {
  reply.header('www-authenticate', 'Bearer realm="frametap"').header('cache-control', 'no-store');
  if (path.startsWith('/api/') || !(request.headers.accept ?? '').includes('text/html')) {
    return refuse(reply, 'unauthorized');
  }
  return reply
    .code(401)
    .type('text/plain; charset=utf-8')
    .send(
      'This is the dashboard of Frametap, and it wants to know you.\n\n' +
        'Open the address that Frametap printed at its start. It works once: if it was used already, take the newest\n' +
        'one from the terminal, or open /?token=TOKEN with the dashboard token.\n',
    );
}
