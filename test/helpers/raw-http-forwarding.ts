import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { FrametapError } from '../../src/errors.ts';
import { createHttpForwarder, type HttpForwarder } from '../../src/proxy/http-forwarder.ts';
import type { Origin, Upstream } from '../../src/proxy/leg.ts';
import { connectRaw, type RawPeer } from './raw-http.ts';

export interface ForwardingProxyOptions {
  readonly ca?: string;
  readonly host?: string;
  /** Each answer is said to be the last one of the client's connection. */
  readonly lastAnswers?: boolean;
  readonly maxConnectionsPerOrigin?: number;
  /** Fails or delays a connection. */
  readonly beforeConnect?: (origin: Origin) => void | Promise<void>;
}

/** A port that takes absolute-form requests, with a forwarder behind it that connects every name to loopback. */
export interface ForwardingProxy {
  readonly forwarder: HttpForwarder;
  /** The sockets to servers, in the order of their opening. */
  readonly upstreamSockets: readonly Socket[];
  readonly warnings: readonly string[];
  connect(): Promise<RawPeer>;
  close(): Promise<void>;
}

export async function startForwardingProxy(options: ForwardingProxyOptions = {}): Promise<ForwardingProxy> {
  const upstreamSockets: Socket[] = [];
  const warnings: string[] = [];
  const upstream: Upstream = {
    async connect(origin) {
      await options.beforeConnect?.(origin);
      const raw = net.connect({ port: origin.port, host: '127.0.0.1', allowHalfOpen: true });
      const socket = origin.secure
        ? tls.connect({ socket: raw, servername: origin.host, ca: options.ca, ALPNProtocols: ['http/1.1'] })
        : raw;
      try {
        await once(socket, origin.secure ? 'secureConnect' : 'connect');
      } catch (error) {
        const refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
        throw new FrametapError(refused ? 'upstream-refused' : 'upstream-certificate', undefined, { cause: error });
      }
      // As the real one hands them on: paused, with a silent listener for errors.
      socket.pause();
      socket.on('error', () => undefined);
      upstreamSockets.push(socket);
      const timingsMs = { dns: null, connect: null, tls: null };
      return { socket, raw, address: '127.0.0.1', port: origin.port, tls: null, timingsMs };
    },
  };
  const forwarder = createHttpForwarder({
    upstream,
    maxConnectionsPerOrigin: options.maxConnectionsPerOrigin,
    logger: { warn: (fields) => void warnings.push(String(fields['code'])) },
  });
  const forward = (request: IncomingMessage, response: ServerResponse): void => {
    const [, scheme, host = '', port, target = ''] =
      /^(https?):\/\/(\[[^\]]*\]|[^/:?]*)(?::(\d+))?(.*)$/s.exec(request.url ?? '') ?? [];
    const secure = scheme === 'https';
    const origin = { secure, host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? (secure ? 443 : 80)) };
    if (options.lastAnswers === true) response.setHeader('Connection', 'close');
    forwarder.forward(request, response, {
      origin,
      target,
      ...(options.host === undefined ? {} : { host: options.host }),
    });
  };
  const server = http.createServer({ requireHostHeader: false, requestTimeout: 0 }, forward);
  server.on('checkContinue', forward);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    forwarder,
    upstreamSockets,
    warnings,
    connect: () => connectRaw(port),
    async close() {
      forwarder.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
