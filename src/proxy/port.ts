import type { Server } from 'node:net';
import { FrametapError } from '../errors.ts';
import { formatHostPort } from '../protocol/request-target.ts';

/** How many ports are tried after one that is taken. */
const PORTS_TRIED = 100;

/**
 * Binds a server; with `nextFreePort`, to the first port from the given one on that is not taken.
 * @throws {FrametapError} `port-taken`, `bind-failed`
 */
export async function bindPort(
  server: Server,
  wanted: { readonly host: string; readonly port: number; readonly nextFreePort?: boolean },
): Promise<{ address: string; port: number }> {
  const { host, nextFreePort = false } = wanted;
  const last = nextFreePort ? Math.min(wanted.port + PORTS_TRIED, 65_535) : wanted.port;
  for (let port = wanted.port; ; port++) {
    const problem = await tryToListen(server, host, port);
    if (problem === null) break;
    if (problem.code === 'EADDRINUSE' && port < last) continue;
    const named = formatHostPort({ host, port });
    if (problem.code === 'EADDRINUSE') {
      throw new FrametapError('port-taken', `Port ${port} of ${host} (--port) is taken.`, { cause: problem });
    }
    throw new FrametapError('bind-failed', `${named} cannot be listened on (${problem.code ?? problem.message}).`, {
      cause: problem,
    });
  }
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new FrametapError('bind-failed');
  return { address: bound.address, port: bound.port };
}

function tryToListen(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      server.off('listening', listening);
      resolve(error);
    };
    const listening = (): void => {
      server.off('error', failed);
      resolve(null);
    };
    server.once('error', failed).once('listening', listening).listen(port, host);
  });
}
