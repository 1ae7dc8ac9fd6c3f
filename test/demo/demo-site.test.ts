import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { startDemo, type DemoSite } from '../../src/demo/demo-site.ts';

let demo: DemoSite;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.close());

function connect(path: string, options: { secure?: boolean; subprotocols?: string[] } & ClientOptions = {}): WebSocket {
  const { secure = false, subprotocols = [], ...rest } = options;
  const base = secure ? demo.httpsUrl : demo.httpUrl;
  return new WebSocket(`${base.replace('http', 'ws')}${path}`, subprotocols, { ca: demo.certificatePem, ...rest });
}

async function firstMessage(socket: WebSocket): Promise<{ data: Buffer; isBinary: boolean }> {
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
  return { data, isBinary };
}

describe.each([
  ['ws', false],
  ['wss', true],
])('the demo over %s', (_, secure) => {
  it('chats in JSON with a subprotocol', async () => {
    const socket = connect('/chat', { secure, subprotocols: ['other', 'chat.v1'] });
    const welcome = await firstMessage(socket);
    expect(socket.protocol).toBe('chat.v1');
    expect(JSON.parse(welcome.data.toString())).toMatchObject({ type: 'welcome' });
    socket.send('hello');
    expect(JSON.parse((await firstMessage(socket)).data.toString())).toMatchObject({ type: 'echo', text: 'hello' });
    expect(JSON.parse((await firstMessage(socket)).data.toString())).toMatchObject({ type: 'message', from: 'ada' });
    socket.terminate();
  });

  it('answers many at once without a warning of too many listeners', async () => {
    const warnings: Error[] = [];
    const keep = (warning: Error): number => warnings.push(warning);
    process.on('warning', keep);
    const socket = connect('/chat', { secure });
    await once(socket, 'open');
    for (let n = 0; n < 15; n += 1) socket.send('hello');
    let answers = 0;
    await new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        if (data.includes('"from":"ada"') && ++answers === 15) resolve();
      });
    });
    process.off('warning', keep);
    expect(warnings).toEqual([]);
    socket.terminate();
  });

  it('ticks five times a second', async () => {
    const socket = connect('/ticker', { secure });
    const first = await firstMessage(socket);
    expect(JSON.parse(first.data.toString())).toMatchObject({ type: 'tick', sequence: 0, symbol: 'OAK' });
    const begin = performance.now();
    await firstMessage(socket);
    expect(performance.now() - begin).toBeLessThan(1500);
    socket.terminate();
  });

  it('sends and echoes bytes', async () => {
    const socket = connect('/binary', { secure });
    const wave = await firstMessage(socket);
    expect(wave.isBinary).toBe(true);
    expect(wave.data).toHaveLength(1024);
    socket.send(Uint8Array.of(1, 2, 3));
    expect((await firstMessage(socket)).data).toEqual(Buffer.from([1, 2, 3]));
    socket.terminate();
  });

  it('compresses', async () => {
    const socket = connect('/compressed', { secure, perMessageDeflate: true });
    const { data } = await firstMessage(socket);
    expect(socket.extensions).toContain('permessage-deflate');
    expect(JSON.parse(data.toString())).toMatchObject({ type: 'page', page: 0 });
    socket.terminate();
  });

  it('sends one message in four frames, with a ping between them', async () => {
    const socket = connect('/fragments', { secure });
    const seen: string[] = [];
    socket.on('ping', (data) => seen.push(`ping ${data.toString()}`));
    const { data } = await firstMessage(socket);
    seen.push(data.toString());
    expect(seen).toEqual([
      'ping between two of them',
      'One message in four frames, of which the last says that it is the last.',
    ]);
    socket.terminate();
  });

  it('pings with a payload', async () => {
    const socket = connect('/pings', { secure });
    const [data] = (await once(socket, 'ping')) as [Buffer];
    expect(data.toString()).toBe('heartbeat 0');
    socket.terminate();
  });

  it.each([
    ['1000', 1000, 'done'],
    ['1001', 1001, 'going away'],
    ['1011', 1011, 'unexpected condition'],
    ['4000', 4000, 'the demo has seen enough'],
    ['empty', 1005, ''],
    ['reset', 1006, ''],
  ])('ends as /close/%s says', async (how, code, reason) => {
    // `ws` keeps a reset to itself: the TCP socket tells.
    const port = Number(new URL(secure ? demo.httpsUrl : demo.httpUrl).port);
    const tcp = connectTcp(port, '127.0.0.1');
    const errors: (string | undefined)[] = [];
    const top = secure ? connectTls({ socket: tcp, host: '127.0.0.1', ca: demo.certificatePem }) : tcp;
    top.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
    const socket = connect(`/close/${how}`, {
      secure,
      createConnection: () => top,
    });
    const [[seenCode, seenReason]] = (await Promise.all([
      once(socket, 'close'),
      new Promise((resolve) => top.on('close', resolve)),
    ])) as [[number, Buffer], unknown];
    expect([seenCode, seenReason.toString()]).toEqual([code, reason]);
    expect(errors).toEqual(how === 'reset' ? ['ECONNRESET'] : []);
  });

  it.each([
    ['/forbidden', 403],
    ['/nowhere', 404],
    ['/close/', 404],
  ])('refuses the handshake on %s with %d', async (path, status) => {
    const socket = connect(path, { secure });
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(status);
    socket.on('error', () => undefined);
    socket.terminate();
  });
});

describe('the demo', () => {
  it('has one page that loads nothing from elsewhere', async () => {
    const response = await fetch(demo.httpUrl);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const page = await response.text();
    expect(page).not.toMatch(/(src|href)="?https?:/);
    expect(page).toContain(demo.httpsUrl.replace('http', 'ws'));
    expect((await fetch(`${demo.httpUrl}/other`)).status).toBe(404);
  });

  it('closes with connections open', async () => {
    const own = await startDemo();
    const socket = new WebSocket(`${own.httpUrl.replace('http', 'ws')}/ticker`);
    await once(socket, 'message');
    const closed = once(socket, 'close');
    await own.close();
    await closed;
    await expect(fetch(own.httpUrl)).rejects.toThrow();
  });
});
