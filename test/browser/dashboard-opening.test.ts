import { once } from 'node:events';
import { connect } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type AppRig, startTestApp } from '../helpers/app-rig.ts';
import { type DashboardPage, openDashboard } from './dashboard-page.ts';

const SESSIONS = 2000;
let dashboard: DashboardPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard({ flags: { payloadLimitBytes: '64KiB' } });
  ({ page } = dashboard);
  const { client } = await dashboard.connect('/open');
  client.send('needle in the open one');
  for (let made = 0; made < SESSIONS; made += 50) {
    await Promise.all(Array.from({ length: 50 }, () => openAndGo(dashboard.rig)));
  }
  const openSessions = async (): Promise<number> =>
    ((await (await dashboard.rig.fetch('/api/status')).json()) as { openSessions: number }).openSessions;
  await vi.waitFor(async () => expect(await openSessions()).toBe(1), 10_000);
  // Without the place that the address has kept.
  await page.goto(dashboard.rig.app.dashboard.url);
  await page.getByRole('option').first().waitFor();
});
afterAll(async () => {
  await dashboard.close();
});

/** A WebSocket whose client goes as soon as it is answered. The port it names has no listener: a forward proxy fails. */
async function openAndGo(rig: AppRig): Promise<void> {
  const { hostname, port } = new URL(rig.app.proxy.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => socket.destroy());
  socket.write(
    'GET http://127.0.0.1:1/nobody HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'data');
  socket.destroy();
}

const list = () => page.getByRole('listbox', { name: 'Sessions' });

describe('a dashboard that opens on 2,001 sessions', () => {
  test('lists the newest, and stays there while the rest is loaded', async () => {
    await page.locator(`#session-${SESSIONS + 1}`).waitFor();
    await page.getByText('2,001', { exact: true }).first().waitFor();
    const fromEnd = await list().evaluate((node) => node.scrollHeight - node.clientHeight - node.scrollTop);
    expect(fromEnd).toBeLessThan(2);
  });

  test('shows the newest open session, and takes the keyboard from nowhere', async () => {
    await page.locator('#session-1').waitFor({ state: 'detached' });
    await page.getByRole('row').filter({ hasText: 'needle in the open one' }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BODY');
  });

  test('has the newest and the first frames before the stream has brought any session', async () => {
    const other = await dashboard.context.newPage();
    await other.routeWebSocket(/\/api\/live/, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((message) => {
        if (typeof message !== 'string' || !message.startsWith('{"type":"sessions"')) socket.send(message);
      });
    });
    await other.goto(dashboard.rig.app.dashboard.url);
    await other.locator(`#session-${SESSIONS + 1}`).waitFor();
    await other.getByRole('row').filter({ hasText: 'needle in the open one' }).waitFor();
    await expect.poll(() => other.getByRole('option').count()).toBeGreaterThan(10);
    await other.close();
  });

  test('asks for the newest once, before its script has come, and does not say meanwhile that there is nothing', async () => {
    const other = await dashboard.context.newPage();
    const asked: string[] = [];
    other.on('request', (request) => asked.push(request.url().slice(dashboard.rig.app.dashboard.url.length - 1)));
    await other.addInitScript(() => {
      const seen = { empty: false };
      Object.assign(globalThis, { seen });
      new MutationObserver(() => (seen.empty ||= document.querySelector('main.empty') !== null)).observe(document, {
        childList: true,
        subtree: true,
      });
    });
    await other.goto(dashboard.rig.app.dashboard.url);
    await other.getByRole('row').filter({ hasText: 'needle in the open one' }).waitFor();
    const newest = '/api/sessions?order=newest&limit=100';
    expect(asked.filter((path) => path === newest)).toHaveLength(1);
    expect(asked.indexOf(newest)).toBeLessThan(asked.findIndex((path) => path.startsWith('/assets/')));
    expect(await other.evaluate(() => (globalThis as unknown as { seen: { empty: boolean } }).seen.empty)).toBe(false);
    await other.close();
  });

  test('comes along with the keys, away from the end of the sessions and back', async () => {
    await list().press('Home');
    await page.locator('#session-1[aria-selected=true]').waitFor();
    await list().press('End');
    await page.locator(`#session-${SESSIONS + 1}[aria-selected=true]`).waitFor();
    await list().press('Home');
    await page.locator('#session-1[aria-selected=true]').waitFor();
    await list().evaluate((node) => (node.scrollTop = node.scrollHeight));
    await page.locator(`#session-${SESSIONS + 1}`).waitFor();
  });

  test('says at once that it searches, lists what passes, and searches no frames for a filter about sessions', async () => {
    const filter = page.getByRole('combobox', { name: 'Filter' });
    const searched: string[] = [];
    page.on('request', (request) => {
      if (/\/frames(\/indexes)?\?.*filter=/.test(request.url())) searched.push(request.url());
    });
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const slow = /\/api\/sessions\?.*after=1500/;
    await page.route(slow, async (route) => {
      await held;
      await route.continue();
    });
    await filter.fill('url:nobody or is:open');
    await page.getByText('searching… 1,500 of 2,001').waitFor();
    letGo();
    await page.getByText('2,001 of 2,001').waitFor();
    await filter.fill('is:open');
    await page.getByText('1 of 2,001').waitFor();
    await page.getByRole('row').filter({ hasText: 'needle in the open one' }).waitFor();
    expect(searched).toEqual([]);
    await filter.fill('needle');
    await page.getByText('1 of 1', { exact: true }).waitFor();
    expect(searched.length).toBeGreaterThan(0);
    await filter.fill('');
    await page.unrouteAll();
  });

  test('says how much of a frame is held, and claims no more for “save”', async () => {
    const { client } = await dashboard.connect('/cut');
    await page.getByRole('option').filter({ hasText: '/cut' }).click();
    client.send('x'.repeat(200_000));
    const words = '64 KiB of 200 kB held (--payload-limit)';
    await page.getByRole('row').filter({ hasText: words }).click();
    const detail = page.getByRole('region', { name: 'Detail' });
    await detail.getByText(words).waitFor();
    await detail.getByText('“save” has no more').waitFor();
  });

  test('says of a session that failed before it reached anybody that no connection was made', async () => {
    const rig = await startTestApp();
    await openAndGo(rig);
    await page.goto(rig.app.dashboard.openUrl);
    await page.getByRole('button', { name: 'See the handshake' }).click();
    await page.getByText('no connection was made').waitFor();
    await expect.poll(() => page.getByText('plain TCP').count()).toBe(1);
    await rig.stop();
  });
});
