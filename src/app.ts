import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { FrametapError } from './errors.ts';

/** A proxy with its dashboard, listening. */
export interface RunningApp {
  readonly proxy: { readonly host: string; readonly port: number; readonly url: string };
  readonly dashboard: {
    readonly host: string;
    readonly port: number;
    readonly url: string;
    readonly token: string;
    /** The dashboard's address with the token: opening it once sets the cookie. */
    readonly openUrl: string;
  };
  readonly ca: {
    /** Path of ca.pem. */
    readonly certificate: string;
    /** Upper-case hex with colons. */
    readonly sha256: string;
    readonly leafSpkiSha256: string;
  };
  /** Stops accepting, closes dashboards with 1001, drains. */
  stop(): Promise<void>;
}

/** @throws {FrametapError} what keeps it from starting */
export function startApp(config: Config, options: { readonly logger: Logger }): Promise<RunningApp> {
  options.logger.debug({ port: config.port }, 'nothing is wired yet');
  return Promise.reject(new FrametapError('internal', 'The composition root is not written yet.'));
}
