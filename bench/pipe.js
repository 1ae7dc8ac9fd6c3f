// @ts-check
// The yardstick: a TCP proxy that looks at nothing. node bench/pipe.js LISTEN_PORT TARGET_PORT
import { connect, createServer } from 'node:net';

const [listenPort, targetPort] = process.argv.slice(2).map(Number);

const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const target = connect({ host: '127.0.0.1', port: Number(targetPort), noDelay: true, allowHalfOpen: true });
  for (const [from, to] of [
    [client, target],
    [target, client],
  ]) {
    from.on('error', () => to.destroy());
    from.pipe(to);
  }
});
server.listen({ host: '127.0.0.1', port: listenPort, backlog: 4096 }, () => console.log('{"event":"listening"}'));
