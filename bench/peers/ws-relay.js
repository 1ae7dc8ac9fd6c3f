// @ts-check
// A relay as one writes it with the ws library: parses and builds every message. node ws-relay.js PORT TARGET_PORT
import { WebSocket, WebSocketServer } from 'ws';

const [port, targetPort] = process.argv.slice(2).map(Number);
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false, maxPayload: 0 });
server.on('connection', (client, request) => {
  const target = new WebSocket(`ws://127.0.0.1:${targetPort}${request.url}`, { perMessageDeflate: false, maxPayload: 0 });
  client.pause();
  target.on('open', () => client.resume());
  for (const [from, to] of [
    [client, target],
    [target, client],
  ]) {
    from.on('message', (data, binary) => {
      to.send(data, { binary }, () => {
        if (from.isPaused && to.bufferedAmount < MAX_WAITING_BYTES) from.resume();
      });
      if (to.bufferedAmount > MAX_WAITING_BYTES) from.pause();
    });
    from.on('close', (code) => (code === 1005 || code === 1006 ? to.terminate() : to.close(code)));
    from.on('error', () => to.terminate());
  }
});
server.on('listening', () => console.log('{"event":"listening"}'));
