import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import pino from 'pino';
import { MessagePlane } from '../../src/capture/message-plane.ts';
import type { CaptureReader } from '../../src/capture/capture-reader.ts';
import { startDashboard, type Dashboard, type DashboardOptions } from '../../src/api/server.ts';
import { LoadedTypes } from '../../src/decode/proto/loaded-types.ts';
import { RecordedCapture } from './recorded-capture.ts';

export const TOKEN = 'the-token-of-these-tests';
export const CA_PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';

export interface Rig {
  readonly capture: RecordedCapture;
  readonly dashboard: Dashboard;
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly liveUrl: string;
  readonly newOpenUrls: string[];
  /** Fetches with the token; `headers` are added. */
  get(path: string, init?: RequestInit): Promise<Response>;
  json(path: string): Promise<unknown>;
  /** Speaks HTTP with exactly these headers and this target. */
  raw(request: RawRequest): Promise<RawAnswer>;
  stop(): Promise<void>;
}
export interface RawRequest {
  readonly target: string;
  readonly method?: string;
  readonly headers: readonly string[];
}
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A dashboard on a free port of loopback, over a real store. */
export async function startRig(
  options: Partial<DashboardOptions> & {
    readonly capture?: RecordedCapture;
    readonly readerOf?: (capture: RecordedCapture) => CaptureReader;
  } = {},
): Promise<Rig> {
  const { capture = new RecordedCapture(), readerOf, ...rest } = options;
  const plane = new MessagePlane(capture.store);
  const newOpenUrls: string[] = [];
  const dashboard = await startDashboard({
    host: '127.0.0.1',
    port: 0,
    portIsExplicit: true,
    token: TOKEN,
    reader: readerOf?.(capture) ?? capture.store,
    messages: plane,
    types: new LoadedTypes(),
    caCertificatePem: CA_PEM,
    proxyAddress: () => ({ host: '127.0.0.1', port: 8080, url: 'http://127.0.0.1:8080/' }),
    version: '1.2.3',
    command: 'npm start --',
    logger: pino({ level: 'silent' }),
    webRoot: '/nowhere',
    onNewOpenUrl: (url) => newOpenUrls.push(url),
    ...rest,
  });
  const origin = dashboard.url.slice(0, -1);
  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(origin + path, {
      redirect: 'manual',
      ...init,
      headers: { authorization: `Bearer ${TOKEN}`, ...(init.headers as Record<string, string> | undefined) },
    });
  return {
    capture,
    dashboard,
    origin,
    newOpenUrls,
    liveUrl: `${origin.replace('http', 'ws')}/api/live`,
    get,
    json: async (path) => (await get(path)).json() as Promise<unknown>,
    raw: (request) => rawRequest(dashboard.port, request),
    stop: async () => {
      await dashboard.stop();
      plane.close();
    },
  };
}

/** Loads .proto files: name and text of each. */
export function putProtos(rig: Rig, files: Readonly<Record<string, string>>): Promise<Response> {
  return rig.get('/api/protos', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ files: Object.entries(files).map(([name, text]) => ({ name, text })) }),
  });
}

/** Writes the request by hand, to send what no client would. */
function rawRequest(port: number, { target, method = 'GET', headers }: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => {
      const text = Buffer.concat(chunks).toString('latin1');
      const [head = '', ...body] = text.split('\r\n\r\n');
      const [statusLine = '', ...lines] = head.split('\r\n');
      const fields = lines.map((line) => /^([^:]+): ?(.*)$/.exec(line)).filter((match) => match !== null);
      resolve({
        status: Number(statusLine.split(' ')[1]),
        headers: Object.fromEntries(fields.map(([, name = '', value = '']) => [name.toLowerCase(), value])),
        body: body.join('\r\n\r\n'),
      });
    });
    socket.write([`${method} ${target} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n'));
  });
}

/** The same reader, with some of its functions in other hands. */
export function overriding(reader: CaptureReader, members: Partial<CaptureReader>): CaptureReader {
  return new Proxy(reader, {
    get(target, name) {
      const member: unknown = Reflect.get(name in members ? members : target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
