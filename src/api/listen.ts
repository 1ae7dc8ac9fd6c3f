import type { AddressInfo } from 'node:net';
import { FrametapError } from '../errors.ts';
import type { Api } from './route-context.ts';

/** Ports that are tried after the first where that was not asked for by name. */
const MORE_PORTS = 100;

/**
 * Opens the port, or the next free one where that will do.
 * @returns the port
 * @throws {FrametapError} `port-taken`, `bind-failed`
 */
export async function listen(
  app: Api,
  { host, port, portIsExplicit }: { readonly host: string; readonly port: number; readonly portIsExplicit: boolean },
): Promise<number> {
  const last = portIsExplicit ? port : Math.min(port + MORE_PORTS, 65_535);
  for (let candidate = port; ; candidate++) {
    try {
      await app.listen({ host, port: candidate });
      return (app.server.address() as AddressInfo).port;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' && candidate < last) continue;
      await app.close();
      if (code === 'EADDRINUSE') {
        throw new FrametapError('port-taken', `Port ${candidate} of ${host} (--ui-port) is taken.`);
      }
      throw new FrametapError('bind-failed', `The dashboard cannot listen on ${host}:${candidate}: ${message}.`, {
        cause: error,
      });
    }
  }
}
