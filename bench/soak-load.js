// @ts-check
// Mixed sessions for the soak, client and server written with ws. node bench/soak-load.js PROXY_PORT ORIGIN_PORT
// A line on standard input ends it. Each second it says what it has done; every message is verified.
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';

const [proxyPort, originPort] = process.argv.slice(2).map(Number);
const ACTORS = 60;
const BLOCK = Buffer.from(Array.from({ length: 65536 }, (_, i) => 32 + ((i * 31) % 95)));

const done = { sessions: 0, messages: 0, faults: 0, mostStalled: 0 };
let stalled = 0;
let lastFault = '';
let stopping = false;

/** The n-th message of a session. @param {number} n @param {number} size */
function message(n, size) {
  const bytes = Buffer.from(BLOCK.subarray(0, Math.max(4, size)));
  bytes.writeUInt32BE(n);
  return bytes;
}
/** @param {unknown} got @param {Buffer} expected */
function verify(got, expected) {
  done.messages++;
  if (!(got instanceof Buffer) || !got.equals(expected)) throw new Error('a message is not what was sent');
}

const origin = new WebSocketServer({ host: '127.0.0.1', port: originPort, perMessageDeflate: true });
origin.on('connection', (socket, request) => {
  socket.on('error', () => undefined);
  const what = request.url ?? '/';
  if (what === '/flood') {
    for (let n = 0; n < 128; n++) socket.send(message(n, 65536), { compress: false });
    return;
  }
  socket.on('message', (data, isBinary) => {
    if (data.toString() === 'end it') socket.close(4000, 'as you wish');
    else if (data.toString() === 'reset it') request.socket.resetAndDestroy();
    else socket.send(data, { binary: isBinary });
  });
});

/** @param {string} path @param {boolean} [deflate] */
async function open(path, deflate = false) {
  const socket = new WebSocket(`ws://127.0.0.1:${proxyPort}${path}`, { perMessageDeflate: deflate });
  socket.on('error', () => undefined);
  const opened = once(socket, 'open');
  await opened;
  return socket;
}
/** Its TCP connection. @param {WebSocket} socket @returns {import('node:net').Socket} */
const tcp = (socket) => /** @type {any} */ (socket)._socket;
const random = (/** @type {number} */ below) => Math.floor(Math.random() * below);

/** @param {WebSocket} socket @param {number} messages */
async function talk(socket, messages) {
  for (let n = 0; n < messages && !stopping; n++) {
    const sent = message(n, random(10) === 0 ? random(65536) : random(600));
    const came = once(socket, 'message');
    socket.send(sent);
    verify((await came)[0], sent);
  }
}

/** @type {Record<string, () => Promise<void>>} */
const actions = {
  async talkAndClose() {
    const socket = await open('/');
    await talk(socket, 50 + random(300));
    socket.close(1000);
    await once(socket, 'close');
  },
  async talkCompressed() {
    const socket = await open('/', true);
    await talk(socket, 20 + random(50));
    socket.close(1000);
    await once(socket, 'close');
  },
  async burstAndServerCloses() {
    const socket = await open('/');
    let n = 0;
    socket.on('message', (data) => {
      try {
        verify(data, message(n++, 16000));
      } catch (error) {
        fault(error);
      }
    });
    for (let i = 0; i < 200; i++) socket.send(message(i, 16000));
    socket.send('end it');
    const [code] = await once(socket, 'close');
    if (code !== 4000 || n !== 200) throw new Error(`a burst ended with ${code} after ${n} messages`);
  },
  async clientResets() {
    const socket = await open('/');
    await talk(socket, random(20));
    tcp(socket).resetAndDestroy();
    await once(socket, 'close');
  },
  async serverResets() {
    const socket = await open('/');
    await talk(socket, random(20));
    socket.send('reset it');
    await once(socket, 'close');
  },
  async clientStalls() {
    const socket = await open('/flood');
    let n = 0;
    /** @type {Promise<void>} */
    const all = new Promise((resolve, reject) => {
      socket.on('close', () => (n === 128 ? resolve() : reject(new Error(`a flood ended after ${n} messages`))));
      socket.on('message', (data) => {
        try {
          verify(data, message(n++, 65536));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        if (n === 128) resolve();
      });
    });
    tcp(socket).pause();
    done.mostStalled = Math.max(done.mostStalled, ++stalled);
    await wait(500 + random(3000));
    tcp(socket).resume();
    await all.finally(() => stalled--);
    socket.close(1000);
    await once(socket, 'close');
  },
  async leavesInTheHandshake() {
    const socket = connect({ host: '127.0.0.1', port: Number(proxyPort) });
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: bench.test\r\nUpgr');
    await wait(random(200));
    socket.destroy();
  },
  async idles() {
    const socket = await open('/');
    for (let i = 0; i < 5 && !stopping; i++) {
      await wait(random(2000));
      const pong = once(socket, 'pong');
      socket.ping();
      await pong;
    }
    socket.terminate();
  },
};
const names = Object.keys(actions);

/** @param {unknown} error */
function fault(error) {
  done.faults++;
  lastFault = String(error);
}

async function act() {
  while (!stopping) {
    const name = /** @type {string} */ (names[random(names.length)]);
    const limit = wait(60_000, 'late', { ref: false });
    try {
      const action = /** @type {() => Promise<void>} */ (actions[name]);
      if ((await Promise.race([action(), limit])) === 'late') throw new Error('took more than a minute');
    } catch (error) {
      fault(`${name}: ${String(error)}`);
    }
    done.sessions++;
    await wait(random(100));
  }
}

const report = () => console.log(JSON.stringify({ event: 'did', ...done, lastFault }));
const reports = setInterval(report, 1000);
createInterface({ input: process.stdin })
  .on('line', () => (stopping = true))
  .on('close', () => process.exit(0));
await once(origin, 'listening');
report();
await Promise.all(Array.from({ length: ACTORS }, act));
clearInterval(reports);
console.log(JSON.stringify({ event: 'ended', ...done, lastFault }));
