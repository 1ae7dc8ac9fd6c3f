// Loaded with --require before a suite of somebody else's: every TCP connection that it makes goes through the proxy at
// FRAMETAP_TEST_PROXY (a port), by CONNECT. The suite and what it tests are left as they are.
'use strict';
const net = require('node:net');

const proxyPort = Number(process.env.FRAMETAP_TEST_PROXY);
const connect = net.connect;

net.connect = net.createConnection = function (...given) {
  const [first, ...rest] = given;
  const options =
    typeof first === 'object' ? first : { port: first, host: typeof rest[0] === 'string' ? rest[0] : undefined };
  if (options.path != null || options.socketPath != null) return connect.apply(this, given);
  const callback = given.at(-1);
  const { host = 'localhost', port } = options;
  const socket = connect({ ...options, host: '127.0.0.1', port: proxyPort });
  if (typeof callback === 'function') socket.once('connect', callback);
  // Whatever is written later leaves behind this, and the proxy's answer is taken out of what comes back.
  socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
  let answer = Buffer.alloc(0);
  const push = socket.push;
  socket.push = function (chunk, ...more) {
    if (chunk === null) return push.call(this, chunk, ...more);
    answer = Buffer.concat([answer, chunk]);
    const end = answer.indexOf('\r\n\r\n');
    if (end < 0) return true;
    socket.push = push;
    if (!answer.toString('latin1').startsWith('HTTP/1.1 200 ')) {
      socket.destroy(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
      return false;
    }
    const after = answer.subarray(end + 4);
    return after.length === 0 || push.call(this, after, ...more);
  };
  return socket;
};
