import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';

/** What the demo's server does on each path. Nothing is sent after the connection has ended. */
export interface DemoSocket {
  readonly path: string;
  readonly title: string;
  readonly about: string;
  readonly subprotocol?: string;
  readonly compressed?: true;
  /** Only the server sends. */
  readonly oneWay?: true;
  serve(socket: WebSocket): void;
}

/** How `/close/…` ends a connection. */
export const DEMO_CLOSES = [
  ['1000', 'normal closure'],
  ['1001', 'going away'],
  ['1011', 'internal error'],
  ['4000', 'a code of the application’s own, with a reason'],
  ['empty', 'a close frame without a code'],
  ['reset', 'no close frame: the connection is reset'],
] as const;

export const DEMO_SOCKETS: readonly DemoSocket[] = [
  {
    path: '/chat',
    title: 'Chat',
    about: 'Text and JSON in both directions, with the subprotocol chat.v1.',
    subprotocol: 'chat.v1',
    serve: chat,
  },
  { path: '/ticker', title: 'Ticker', about: 'Prices as JSON, five a second.', oneWay: true, serve: ticker },
  { path: '/binary', title: 'Binary', about: 'Echoes bytes, and sends a waveform every two seconds.', serve: binary },
  {
    path: '/compressed',
    title: 'Compressed',
    about: 'Documents that permessage-deflate makes small.',
    compressed: true,
    serve: compressed,
  },
  {
    path: '/fragments',
    title: 'Fragments',
    about: 'Messages in several frames, with a ping between two of them.',
    serve: fragments,
  },
  {
    path: '/broken',
    title: 'Broken',
    about: 'A server that breaks the protocol: a reserved bit, then text that is not UTF-8. The client ends it.',
    oneWay: true,
    serve: broken,
  },
  { path: '/pings', title: 'Heartbeat', about: 'A ping with a payload every second.', oneWay: true, serve: pings },
];

export function serveClose(how: string, socket: WebSocket, tcp: Socket): void {
  socket.send(`This connection will be ended: ${how}`);
  after(socket, 300, () => {
    if (how === 'reset') tcp.resetAndDestroy();
    else if (how === 'empty') socket.close();
    else if (how === '4000') socket.close(4000, 'the demo has seen enough');
    else if (how === '1011') socket.close(1011, 'unexpected condition');
    else socket.close(how === '1001' ? 1001 : 1000, how === '1001' ? 'going away' : 'done');
  });
}

const SMALL_TALK = [
  'Have you looked at the frames of this message?',
  'Every one of them went through the proxy exactly as it was sent.',
  'Only the masking key is new: a proxy must not know what a peer will choose.',
  'Grüße, 你好, مرحبا, 👋 — text is UTF-8.',
];

function chat(socket: WebSocket): void {
  let said = 0;
  const say = (value: object): void => socket.send(JSON.stringify({ ...value, at: new Date().toISOString() }));
  say({ type: 'welcome', room: 'lobby', people: ['ada', 'grace', 'you'] });
  socket.on('message', (data, isBinary) => {
    if (isBinary) return;
    const text = bytesOf(data).toString();
    say({ type: 'echo', from: 'you', text: text.slice(0, 500) });
    after(socket, 400, () => say({ type: 'message', from: 'ada', text: SMALL_TALK[said++ % SMALL_TALK.length] }));
  });
}

function ticker(socket: WebSocket): void {
  const prices = new Map([
    ['OAK', 41.2],
    ['ELM', 17.85],
    ['ASH', 88.01],
  ]);
  let sequence = 0;
  every(socket, 200, () => {
    const [symbol, before] = [...prices][sequence % prices.size] ?? ['OAK', 41.2];
    const price = Math.max(1, before + Math.sin(sequence / 7) * 0.4);
    prices.set(symbol, price);
    const change = Number((price - before).toFixed(3));
    socket.send(
      JSON.stringify({ type: 'tick', sequence: sequence++, symbol, price: Number(price.toFixed(2)), change }),
    );
  });
}

function binary(socket: WebSocket): void {
  socket.on('message', (data) => socket.send(bytesOf(data), { binary: true }));
  let phase = 0;
  const send = (): void => {
    const wave = new Float32Array(256).map((_, i) => Math.sin((i + phase++) / 16));
    socket.send(wave);
  };
  send();
  every(socket, 2000, send);
}

function compressed(socket: WebSocket): void {
  let page = 0;
  const send = (): void => {
    const lines = Array.from({ length: 60 }, (_, i) => ({
      id: page * 60 + i,
      title: `Entry ${i}`,
      tags: ['demo', 'text'],
    }));
    socket.send(JSON.stringify({ type: 'page', page: page++, lines }));
  };
  socket.on('message', (data) => socket.send(bytesOf(data).toString().toUpperCase()));
  send();
  every(socket, 3000, send);
}

function fragments(socket: WebSocket): void {
  const send = (): void => {
    socket.send('One message ', { fin: false });
    socket.send('in four frames, ', { fin: false });
    socket.ping('between two of them');
    socket.send('of which the last ', { fin: false });
    socket.send('says that it is the last.', { fin: true });
  };
  send();
  every(socket, 2500, send);
}

function pings(socket: WebSocket): void {
  let count = 0;
  every(socket, 1000, () => socket.ping(`heartbeat ${count++}`));
}

/** What `ws` would never send goes past it, straight to the TCP connection. */
function broken(socket: WebSocket): void {
  const frames = [
    [0x81, 0x05, ...Buffer.from('Valid')],
    [0x89, 0x00],
    [0x81, 0x04, 0xc3, 0x28, 0xa0, 0xa1],
    [0xa1, 0x03, ...Buffer.from('RSV')],
  ];
  const { _socket: stream } = socket as WebSocket & { readonly _socket: Socket };
  after(socket, 1000, () => stream.write(Buffer.from(frames.flat())));
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function every(socket: WebSocket, milliseconds: number, act: () => void): void {
  const timer = setInterval(() => {
    // A reader that does not read is not sent to: the demo keeps no queue.
    if (socket.readyState === socket.OPEN && socket.bufferedAmount < 1_000_000) act();
  }, milliseconds);
  socket.on('close', () => clearInterval(timer));
}

function after(socket: WebSocket, milliseconds: number, act: () => void): void {
  // No listener for the end: a chat may have many of these under way, and none of them outlasts it for long.
  setTimeout(() => {
    if (socket.readyState === socket.OPEN) act();
  }, milliseconds).unref();
}
