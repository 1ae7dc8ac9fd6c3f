import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { type DashboardPage, openDashboard } from './dashboard-page.ts';

let dashboard: DashboardPage;
let page: Page;
let server: WebSocket;
let sent = 0;

beforeAll(async () => {
  dashboard = await openDashboard({ flags: { memoryBytes: '8MiB' } });
  ({ page } = dashboard);
  for (let n = 0; n < 3; n += 1) {
    const { client } = await dashboard.connect(`/early/${n}`);
    client.close();
  }
  ({ server } = await dashboard.connect('/feed'));
  await page.getByRole('option').filter({ hasText: '/feed' }).click();
  await pour(200);
  await row('"line":199,').waitFor();
  await row('"line":190,').click();
});
afterAll(async () => {
  await dashboard.close();
});

const grid = () => page.getByRole('grid', { name: 'Frames' });
const row = (text: string) => grid().getByRole('row').filter({ hasText: text });
const tab = (name: string) => page.getByRole('tablist', { name: 'Views of the session' }).getByRole('tab', { name });
const sessions = () => page.getByRole('listbox', { name: 'Sessions' });
const lost = (text: RegExp) => page.locator('.lost').filter({ hasText: text });

/** Resolves when the capture has seen them all. */
async function pour(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) server.send(`{"line":${sent++},"text":"${'x'.repeat(400)}"}`);
  await dashboard.rig.waitForSession(({ url, frameCount }) => url.endsWith('/feed') && frameCount === sent);
}

describe('what is lost is said where it would have been', () => {
  test('evicted sessions above the oldest that is left, and frames above theirs; an open detail stays', async () => {
    await pour(30_000);
    await lost(/^3 older sessions were evicted$/).waitFor();
    await lost(/^Frames 0–[\d,]+ were evicted: the oldest go first/).waitFor();
    await lost(/^This frame has been evicted since/).waitFor();
    // An export takes some of the budget itself: what it tells is told until nothing more has to go for it.
    await expect
      .poll(
        async () => {
          const response = await dashboard.rig.fetch('/api/export?format=json');
          const { evicted } = (await response.json()) as { evicted: { sessions: number; frames: number } };
          expect(evicted.sessions).toBe(3);
          return page.getByText(`${evicted.frames.toLocaleString('en-US')} evicted`, { exact: true }).isVisible();
        },
        { timeout: 20_000 },
      )
      .toBe(true);
    await page.setViewportSize({ width: 1024, height: 640 });
    await page.getByText(/^[\d,]+ evicted$/).waitFor();
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByText('#190 ↓ text').waitFor();
    await page.getByRole('region', { name: 'Text' }).getByText('"line":190,').waitFor();
  });

  test('evicted frames of a filtered list, which counts what is left', async () => {
    await page.getByRole('textbox', { name: 'Find in this session' }).fill('/line":\\d*7,/');
    const { id } = await dashboard.rig.waitForSession(({ url }) => url.endsWith('/feed'));
    const { firstHeldFrame } = await dashboard.rig.session(id);
    // The oldest frames that are held may have lost their payloads already.
    await page.getByText(/^[1-9][\d,]* of 30,200( · [\d,]+ could not be read)?$/).waitFor();
    const counted = Number((await page.getByText(/ of 30,200/).textContent())?.split(' ')[0]?.replace(',', ''));
    expect(counted).toBeLessThanOrEqual((30_200 - firstHeldFrame) / 10 + 1);
    await grid().press('Home');
    await lost(/what passed the filter among them is not listed$/).waitFor();
    // Emptied, and left at once: that counts.
    await page.getByRole('textbox', { name: 'Find in this session' }).fill('');
    await tab('Messages').click();
    await tab('Frames').click();
    expect(await page.getByRole('textbox', { name: 'Find in this session' }).inputValue()).toBe('');
  });

  test('evicted messages above theirs', async () => {
    await tab('Messages').click();
    await lost(/were evicted, and the messages in them$/).waitFor();
    const messages = page.getByRole('grid', { name: 'Messages' });
    await messages.press('Home');
    await pour(20_000);
    const { id } = await dashboard.rig.waitForSession(({ url }) => url.endsWith('/feed'));
    await messages.press('Home');
    await expect
      .poll(async () => {
        await messages.press('Home');
        const { firstHeldFrame } = await dashboard.rig.session(id);
        return (
          (await page.getByRole('button', { name: `frame ${firstHeldFrame.toLocaleString('en-US')}` }).count()) > 0
        );
      })
      .toBe(true);
    await tab('Frames').click();
  });

  test('frames and messages that are evicted while the view is paused', async () => {
    const paused = sent;
    await sessions().getByText(paused.toLocaleString('en-US')).waitFor();
    await page.getByRole('button', { name: 'Pause view' }).click();
    await pour(6_000);
    const { id } = await dashboard.rig.waitForSession(({ url }) => url.endsWith('/feed'));
    // What is looked at takes some of the budget too: it may cost more of them.
    const firstHeld = async (): Promise<number> => (await dashboard.rig.session(id)).firstHeldFrame;
    expect(await firstHeld()).toBeLessThan(paused);
    await expect
      .poll(async () => {
        await grid().press('Home');
        return page.locator(`#frame-${await firstHeld()}[aria-selected=true]`).count();
      })
      .toBe(1);
    await lost(/^Frames 0–[\d,]+ were evicted/).waitFor();
    await expect.poll(() => page.locator('.frame.missing').count()).toBe(0);
    await tab('Messages').click();
    const messages = page.getByRole('grid', { name: 'Messages' });
    await expect
      .poll(async () => {
        await messages.press('Home');
        return page.getByRole('button', { name: `frame ${(await firstHeld()).toLocaleString('en-US')}` }).count();
      })
      .toBe(1);
    await messages.press('End');
    await messages
      .getByRole('row')
      .filter({ hasText: `"line":${paused - 1},` })
      .waitFor();
    await expect.poll(() => page.locator('.frame.missing').count()).toBe(0);
    await page.getByRole('button', { name: 'Resume view' }).click();
    await messages.press('End');
    await messages
      .getByRole('row')
      .filter({ hasText: `"line":${sent - 1},` })
      .waitFor();
    await tab('Frames').click();
  });

  test('rows that the stream has skipped are fetched when they are looked at', async () => {
    const lagging = await dashboard.context.newPage();
    let skips = false;
    let skipping: (from: number, to: number) => void = () => undefined;
    await lagging.routeWebSocket(/\/api\/live/, (socket) => {
      const live = socket.connectToServer();
      live.onMessage((message) => {
        if (!skips || typeof message === 'string') socket.send(message);
      });
      socket.onMessage((message) => live.send(message));
      skipping = (from, to) => socket.send(JSON.stringify({ type: 'gap', from, to }));
    });
    await lagging.goto(dashboard.rig.app.dashboard.url);
    await lagging
      .getByRole('row')
      .filter({ hasText: `"line":${sent - 1},` })
      .waitFor();
    skips = true;
    const { seq } = await dashboard.rig.get<{ seq: number }>('/api/status');
    await pour(500);
    skipping(seq + 1, (await dashboard.rig.get<{ seq: number }>('/api/status')).seq);
    await lagging
      .getByRole('row')
      .filter({ hasText: `"line":${sent - 1},` })
      .waitFor();
    const frames = lagging.getByRole('grid', { name: 'Frames' });
    await frames.press('End');
    for (let page = 0; page < 5; page += 1) await frames.press('PageUp');
    await expect.poll(() => lagging.locator('.frame.missing').count()).toBe(0);
    await lagging.close();
  });

  test('frames that passed while recording was stopped, without asking for them again and again', async () => {
    await page.getByRole('button', { name: 'capturing' }).click();
    await page.getByRole('alert').filter({ hasText: 'Recording is stopped' }).waitFor();
    await pour(3);
    await page.getByRole('button', { name: 'Record again' }).click();
    await page.getByRole('button', { name: 'capturing' }).waitFor();
    await pour(2);
    await grid().press('End');
    await row(`"line":${sent - 1},`).waitFor();
    await expect.poll(() => row('not recorded').count()).toBe(3);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await pour(1);
    await row(`"line":${sent - 1},`).waitFor();
    // Longer than the same range is left alone.
    await page.waitForTimeout(1500);
    expect(asked.filter((url) => url.includes('/frames?')).length).toBeLessThan(3);
  });

  test('frames of a session that is silent, as another one takes their room', async () => {
    await grid().press('Home');
    const { server: flood } = await dashboard.connect('/flood');
    const { id } = await dashboard.rig.waitForSession(({ url }) => url.endsWith('/feed'));
    for (let part = 0; part < 5; part += 1) {
      for (let n = 0; n < 3_000; n += 1) flood.send('y'.repeat(400));
      await dashboard.rig.waitForSession(
        ({ url, frameCount }) => url.endsWith('/flood') && frameCount === (part + 1) * 3_000,
      );
      // What the page reads takes some of the budget too.
      await expect
        .poll(async () => {
          const last = (await dashboard.rig.session(id)).firstHeldFrame - 1;
          return lost(new RegExp(`^Frames 0–${last.toLocaleString('en-US')} were evicted`)).count();
        })
        .toBe(1);
      await expect.poll(() => page.locator('.frame.missing').count()).toBe(0);
    }
    expect(await dashboard.rig.session(id)).toMatchObject({ frameCount: sent, firstHeldFrame: sent });
  });
});
