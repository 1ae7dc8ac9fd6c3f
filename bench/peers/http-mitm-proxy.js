// @ts-check
// node http-mitm-proxy.js PORT (the generator asks with CONNECT)
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Proxy } from 'http-mitm-proxy';

const [port] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'frametap-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGTERM', () => process.exit(0));
const proxy = new Proxy();
proxy.onError(() => undefined);
proxy.onWebSocketFrame((_context, _type, _fromServer, data, flags, callback) => callback(null, data, flags));
proxy.listen({ host: '127.0.0.1', port, sslCaDir: folder }, () => console.log('{"event":"listening"}'));
