import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type AppRig, startTestApp } from '../helpers/app-rig.ts';
import { serveRaw } from '../helpers/raw-peer.ts';

let rig: AppRig | undefined;
afterEach(() => rig?.stop());

/** Sends bytes to the proxy and reads until it ends the connection, or has answered a CONNECT. */
function ask(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('latin1').on('error', reject);
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.includes('\r\n\r\n')) socket.destroy();
    });
    socket.on('close', () => resolve(answer));
  });
}

describe('a dashboard that listens on a name', () => {
  it.each(['localhost', '127.0.0.1', '::1', '0.0.0.0'])(
    'is not reached through the proxy: --ui-host %s',
    async (uiHost) => {
      rig = await startTestApp({ uiHost });
      const { proxy, dashboard } = rig.app;
      for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
        const target = `${host}:${dashboard.port}`;
        const plain = await ask(proxy.port, `GET http://${target}/healthz HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
        const tunnel = await ask(proxy.port, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
        for (const answer of [plain, tunnel]) expect(answer, target).toMatch(/^HTTP\/1\.1 403 |^HTTP\/1\.1 502 /);
        if (host === uiHost) expect(plain).toMatch(/^HTTP\/1\.1 403 /);
      }
    },
  );
});

describe("a browser that has the dashboard's cookie", () => {
  it('does not bring it through the proxy to another server of its host', async () => {
    rig = await startTestApp();
    const { proxy, dashboard } = rig.app;
    const server = await serveRaw();
    const login = await fetch(dashboard.openUrl, { redirect: 'manual' });
    const [cookie = ''] = (login.headers.get('set-cookie') ?? '').split(';');
    expect((await fetch(`${dashboard.url}api/status`, { headers: { cookie } })).status).toBe(200);
    const target = `127.0.0.1:${server.port}`;
    const asked = ask(
      proxy.port,
      `GET http://${target}/ HTTP/1.1\r\nHost: ${target}\r\nCookie: ${cookie}; a=1\r\n\r\n`,
    );
    const peer = await server.accept();
    expect(await peer.until('\r\n\r\n')).toContain('Cookie: a=1\r\n');
    peer.send('HTTP/1.1 204 No Content\r\n\r\n');
    await asked;
    server.close();
  });
});
