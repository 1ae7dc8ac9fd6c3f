import { X509Certificate } from 'node:crypto';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectRaw, RawPeer } from '../helpers/raw-peer.ts';
import { handshake, startTestProxy, type TestProxy } from '../helpers/test-proxy.ts';

let proxy: TestProxy;
beforeEach(async () => {
  proxy = await startTestProxy();
});
afterEach(() => proxy.stop());

async function get(target: string, method = 'GET'): Promise<string> {
  const client = await connectRaw(proxy.port);
  client.send(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  return client.end();
}
const body = (response: string): string => response.slice(response.indexOf('\r\n\r\n') + 4);

describe("the proxy's own pages", () => {
  it.each(['http://frametap.test/', 'http://FRAMETAP.test.', 'http://frametap.test:80/?x', '/'])(
    'are at %s, with fingerprint, instructions and settings, and no script',
    async (target) => {
      const page = await get(target);
      expect(page).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(page).toContain('Content-Type: text/html; charset=utf-8\r\n');
      expect(page).toMatch(/Content-Security-Policy: default-src 'none'; style-src 'sha256-/);
      expect(page).toContain(proxy.authority.sha256);
      expect(page).toContain('Firefox');
      expect(page).toContain(`port <code>${proxy.port}</code>`);
      expect(page).not.toContain('<script');
      expect(proxy.capture.sessions).toHaveLength(0);
    },
  );

  it('have the CA as PEM and as DER', async () => {
    const pem = await get('http://frametap.test/ca.pem');
    expect(pem).toContain('Content-Type: application/x-pem-file\r\n');
    const der = await get('http://frametap.test/ca.crt');
    expect(der).toContain('Content-Type: application/x-x509-ca-cert\r\n');
    for (const bytes of [body(pem), Buffer.from(body(der), 'latin1')]) {
      expect(new X509Certificate(bytes).fingerprint256).toBe(proxy.authority.sha256);
    }
  });

  it('are there inside a tunnel to their name, plain and with TLS', async () => {
    for (const port of [80, 443]) {
      const client = await connectRaw(proxy.port);
      client.send(`CONNECT frametap.test:${port} HTTP/1.1\r\nHost: frametap.test\r\n\r\n`);
      await client.until('\r\n\r\n');
      client.received = '';
      if (port === 443) client.socket.removeAllListeners('data');
      const inner =
        port === 80
          ? client
          : new RawPeer(
              tlsConnect({
                socket: client.socket,
                servername: 'frametap.test',
                ca: proxy.authority.certificatePem,
              }),
            );
      inner.send('GET / HTTP/1.1\r\nHost: frametap.test\r\nConnection: close\r\n\r\n');
      expect(await inner.end()).toContain(proxy.authority.sha256);
    }
    expect(proxy.capture.sessions).toHaveLength(0);
  });

  it('answer HEAD without a body, other methods with 405, other paths with 404', async () => {
    expect(body(await get('/', 'HEAD'))).toBe('');
    expect(await get('/', 'POST')).toMatch(/^HTTP\/1\.1 405 [^]*Allow: GET, HEAD\r\n/);
    expect(await get('/nothing')).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('are no WebSocket server', async () => {
    const client = await connectRaw(proxy.port);
    client.send(handshake('ws://frametap.test/', 'frametap.test'));
    expect(await client.end()).toMatch(/^HTTP\/1\.1 403 [^]*frametap: target-is-frametap\n/);
    expect(proxy.capture.sessions).toHaveLength(0);
  });
});
