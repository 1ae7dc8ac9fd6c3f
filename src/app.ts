import { join } from 'node:path';
import type { Logger } from 'pino';
import { startDashboard } from './api/server.ts';
import { MemoryStore } from './capture/memory-store.ts';
import { MessagePlane, planeBytes } from './capture/message-plane.ts';
import { createClock } from './clock.ts';
import { type Config, isLoopback } from './config.ts';
import { LoadedTypes } from './decode/proto/loaded-types.ts';
import { FrametapError } from './errors.ts';
import { Collector } from './heap.ts';
import { formatHostPort } from './protocol/request-target.ts';
import { createHttpForwarder } from './proxy/http-forwarder.ts';
import { type Proxy, startProxy } from './proxy/proxy.ts';
import { createRelayGround } from './proxy/relay.ts';
import type { OwnListener } from './proxy/self-guard.ts';
import { createSessionStarter, type Session } from './proxy/session.ts';
import { StalledPeers } from './proxy/stalled-peers.ts';
import { createUpstream } from './proxy/upstream.ts';
import { Roster } from './roster.ts';
import { openAuthority } from './tls/authority.ts';
import { VERSION } from './version.ts';

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

/** What to put in a URL for an address that means all of them. */
const WILDCARDS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Builds everything and wires it: the only place that knows all rooms.
 * @throws {FrametapError} what keeps it from starting
 */
export async function startApp(
  config: Config,
  options: {
    readonly logger: Logger;
    /** How this was called: the dashboard repeats it. */
    readonly command?: string;
    /** The folder of the built dashboard, where it is not beside this file's own. */
    readonly webRoot?: string;
    /** The one-time address was used; here is the next. */
    readonly onNewOpenUrl?: (openUrl: string) => void;
    /** Microseconds since the Unix epoch, never going back; this machine's own where it is left out. */
    readonly clock?: () => number;
  },
): Promise<RunningApp> {
  const { logger, webRoot = join(import.meta.dirname, '..', 'web'), clock = createClock() } = options;
  for (const name of config.unknownVariables) logger.warn(`${name} is no option: see --help for those there are.`);
  const types = new LoadedTypes();
  if (config.protos.length > 0) await types.load(config.protos);
  const authority = await openAuthority({ directory: config.certs });
  if (authority.created) logger.info({ folder: config.certs }, 'a new certificate authority was made');
  if (authority.tightenedFolder) logger.info({ folder: config.certs }, 'the folder is now readable by you alone');
  const collector = new Collector();
  const store = new MemoryStore({
    budgetBytes: config.memoryBytes,
    payloadLimitBytes: config.payloadLimitBytes,
    clock,
    freed: (bytes) => collector.freed(bytes),
  });
  const messages = new MessagePlane(store, { maxBytes: planeBytes(config.memoryBytes) });
  const ownListeners = new Set<OwnListener>();
  const upstream = createUpstream({
    ownListeners,
    insecure: config.insecure,
    upstreamCa: config.upstreamCaPem === null ? [] : [config.upstreamCaPem],
    nodeExtraCaFile: config.nodeExtraCaFile,
  });
  const forwarder = createHttpForwarder({ upstream, logger });
  const running = new Roster<Session>();
  const startSession = createSessionStarter({
    ...createRelayGround(),
    store,
    strict: config.strict,
    running,
    stalledPeers: new StalledPeers(),
  });

  let proxy: Proxy | null = null;
  const proxyAddress = (): RunningApp['proxy'] => {
    if (proxy === null) throw new FrametapError('stopped', 'Frametap is starting.');
    const { host, port } = proxy;
    return { host, port, url: `http://${formatHostPort({ host: WILDCARDS[host] ?? host, port })}` };
  };
  const dashboard = await startDashboard({
    host: config.uiHost,
    port: config.uiPort,
    portIsExplicit: config.given.has('uiPort'),
    token: config.uiToken,
    reader: store,
    messages,
    types,
    caCertificatePem: authority.certificatePem,
    proxyAddress,
    version: VERSION,
    command: options.command ?? 'frametap',
    // Fastify says at `info` that it listens; the start-up text says more.
    logger: logger.child({}, { level: config.logLevel === 'info' ? 'warn' : config.logLevel }),
    webRoot,
    ...(options.onNewOpenUrl === undefined ? {} : { onNewOpenUrl: options.onNewOpenUrl }),
  });
  // Before the proxy accepts anybody, so that no moment is left in which the dashboard could be reached through it.
  for (const { address, port } of dashboard.boundTo) ownListeners.add({ address, port });
  try {
    proxy = await startProxy({
      host: config.host,
      port: config.port,
      nextFreePort: !config.given.has('port'),
      authority,
      upstream,
      forwarder,
      capture: store,
      startSession,
      ownListeners,
      reverse: config.reverse,
      keepHost: config.keepHost,
      proxyAuth: config.proxyAuth === null ? null : `${config.proxyAuth.user}:${config.proxyAuth.password}`,
      strict: config.strict,
      ownCookie: dashboard.cookie,
      passthrough: config.passthrough,
      logger,
    });
  } catch (error) {
    messages.close();
    await dashboard.stop();
    throw error;
  }

  if (!isLoopback(config.uiHost)) {
    logger.warn('The dashboard listens beyond this machine without TLS: whoever reads the network reads its token.');
  }

  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    const dashboardStopped = dashboard.stop();
    const proxyStopped = proxy?.stop();
    for (const session of [...running]) session.stop();
    await Promise.all([dashboardStopped, proxyStopped]);
    messages.close();
  };
  const { host, port, url } = dashboard;
  return {
    proxy: proxyAddress(),
    dashboard: { host, port, url, token: config.uiToken, openUrl: dashboard.openUrl },
    ca: {
      certificate: authority.certificatePath,
      sha256: authority.sha256,
      leafSpkiSha256: authority.leafSpkiSha256,
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}
