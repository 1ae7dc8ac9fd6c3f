import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHttpForwarder } from '../../src/proxy/http-forwarder.ts';
import { startProxy, type Proxy, type ProxyOptions } from '../../src/proxy/proxy.ts';
import type { OwnListener } from '../../src/proxy/self-guard.ts';
import { joinUnread } from '../../src/proxy/tunnel.ts';
import { createUpstream, type TunnelUpstream, type UpstreamOptions } from '../../src/proxy/upstream.ts';
import { openAuthority, type Authority } from '../../src/tls/authority.ts';
import { FakeCapture } from './fake-capture.ts';

let shared: Promise<Authority> | null = null;
/** One CA for a test file. */
export function testAuthority(): Promise<Authority> {
  shared ??= mkdtemp(join(tmpdir(), 'frametap-test-')).then((directory) =>
    openAuthority({ directory: join(directory, 'certs') }),
  );
  return shared;
}

export interface TestProxy {
  readonly proxy: Proxy;
  readonly port: number;
  readonly capture: FakeCapture;
  readonly authority: Authority;
  readonly upstream: TunnelUpstream;
  readonly ownListeners: Set<OwnListener>;
  readonly log: string[];
  stop(): Promise<void>;
}

/** The front of the proxy with a capture to look into, and sessions that are joined unread. */
export async function startTestProxy(
  options: Partial<ProxyOptions> & { readonly upstreamOptions?: Partial<UpstreamOptions> } = {},
): Promise<TestProxy> {
  const { upstreamOptions, ...proxyOptions } = options;
  const authority = await testAuthority();
  const capture = new FakeCapture();
  const ownListeners = options.ownListeners ?? new Set<OwnListener>();
  const log: string[] = [];
  const upstream = createUpstream({ ownListeners, ...upstreamOptions });
  const note = (_: unknown, message: string): void => void log.push(message);
  const proxy = await startProxy({
    host: '127.0.0.1',
    port: 0,
    authority,
    upstream,
    forwarder: createHttpForwarder({ upstream }),
    capture,
    startSession: ({ client, server }) => joinUnread(client, server),
    ownListeners,
    logger: { info: note, warn: note },
    ...proxyOptions,
  });
  return { proxy, port: proxy.port, capture, authority, upstream, ownListeners, log, stop: () => proxy.stop() };
}

/** RFC 6455 §1.3 */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** A client's opening handshake. `lines` replace the default of the same name, or come after them. */
export function handshake(target: string, host: string, lines: readonly string[] = []): string {
  const fields = new Map([
    ['host', `Host: ${host}`],
    ['upgrade', 'Upgrade: websocket'],
    ['connection', 'Connection: Upgrade'],
    ['sec-websocket-key', `Sec-WebSocket-Key: ${KEY}`],
    ['sec-websocket-version', 'Sec-WebSocket-Version: 13'],
  ]);
  const extra: string[] = [];
  for (const line of lines) {
    const name = line.split(':')[0]?.toLowerCase() ?? '';
    if (line.startsWith('-')) fields.delete(name.slice(1));
    else if (fields.has(name)) fields.set(name, line);
    else extra.push(line);
  }
  return [`GET ${target} HTTP/1.1`, ...fields.values(), ...extra, '', ''].join('\r\n');
}

/** The accept value that a request's key demands (RFC 6455 §4.2.2). */
export function acceptOf(request: string): string {
  const key = /sec-websocket-key: (\S+)/i.exec(request)?.[1] ?? '';
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** The 101 that answers a request. */
export function switching(request: string, ...lines: readonly string[]): string {
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(request)}`,
    ...lines,
    '',
    '',
  ].join('\r\n');
}
