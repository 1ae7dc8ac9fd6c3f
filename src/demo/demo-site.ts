import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { makeDemoCertificate } from './demo-certificate.ts';
import { demoPage } from './demo-page.ts';
import { DEMO_SOCKETS, serveClose } from './demo-sockets.ts';

/** A small site on loopback with every kind of WebSocket traffic, over http and https. */
export interface DemoSite {
  readonly httpUrl: string;
  readonly httpsUrl: string;
  /** Of the https server, which vouches for itself: whoever connects has to trust it. */
  readonly certificatePem: string;
  close(): Promise<void>;
}

export async function startDemo(): Promise<DemoSite> {
  const { certificatePem, keyPem } = makeDemoCertificate();
  const plain = createServer();
  const secure = createSecureServer({ cert: certificatePem, key: keyPem, ALPNProtocols: ['http/1.1'] });
  const servers = [plain, secure];
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: chooseSubprotocol });
  const deflating = new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 } });
  // By the client's port: under TLS, too, a reset has to be sent by the TCP socket itself.
  const tcpSockets = new Map<number, Socket>();
  for (const server of servers) {
    server.on('connection', (tcp: Socket) => {
      const port = tcp.remotePort ?? 0;
      tcpSockets.set(port, tcp);
      tcp.on('error', () => tcp.destroy());
      tcp.on('close', () => tcpSockets.delete(port));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const httpUrl = `http://127.0.0.1:${portOf(plain)}`;
  const httpsUrl = `https://127.0.0.1:${portOf(secure)}`;
  const page = demoPage({ wsUrl: httpUrl.replace('http', 'ws'), wssUrl: httpsUrl.replace('http', 'ws') });
  for (const server of servers) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => respond(request, response, page));
    server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      stream.on('error', () => stream.destroy());
      upgrade(request, stream, head, { sockets, deflating, tcpSockets });
    });
  }
  return {
    httpUrl,
    httpsUrl,
    certificatePem,
    async close() {
      for (const socket of [...sockets.clients, ...deflating.clients]) socket.terminate();
      await Promise.all(
        servers.map((server) => {
          server.closeAllConnections();
          server.close();
          return once(server, 'close');
        }),
      );
    },
  };
}

function respond(request: IncomingMessage, response: ServerResponse, page: string): void {
  const found = request.url === '/' || request.url?.startsWith('/?') === true;
  const type = found ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
  response.writeHead(found ? 200 : 404, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(found ? page : 'There is no such page.');
}

function upgrade(
  request: IncomingMessage,
  stream: Duplex,
  head: Buffer,
  parts: {
    readonly sockets: WebSocketServer;
    readonly deflating: WebSocketServer;
    readonly tcpSockets: ReadonlyMap<number, Socket>;
  },
): void {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const demo = DEMO_SOCKETS.find((one) => one.path === path);
  const [, how] = /^\/close\/(\w+)$/.exec(path) ?? [];
  if (demo === undefined && how === undefined) {
    const body = path === '/forbidden' ? 'You may not come in.\n' : 'There is no such WebSocket.\n';
    const status = path === '/forbidden' ? '403 Forbidden' : '404 Not Found';
    const fields = `Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
    stream.end(`HTTP/1.1 ${status}\r\n${fields}\r\n\r\n${body}`);
    return;
  }
  const server = demo?.compressed === true ? parts.deflating : parts.sockets;
  server.handleUpgrade(request, stream, head, (socket: WebSocket) => {
    socket.on('error', () => socket.terminate());
    const tcp = parts.tcpSockets.get(request.socket.remotePort ?? 0) ?? request.socket;
    if (demo !== undefined) demo.serve(socket);
    else if (how !== undefined) serveClose(how, socket, tcp);
  });
}

function chooseSubprotocol(offered: Set<string>): string | false {
  return (
    DEMO_SOCKETS.find(({ subprotocol }) => subprotocol !== undefined && offered.has(subprotocol))?.subprotocol ?? false
  );
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
