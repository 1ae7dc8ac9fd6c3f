import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DashboardPage, openDashboard } from './dashboard-page.ts';

const SIZES = [
  [1024, 640],
  [1280, 800],
  [1920, 1080],
  [3840, 2160],
] as const;
let dashboard: DashboardPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard({ deflate: true });
  ({ page } = dashboard);
  const { client, server } = await dashboard.connect('/a/path/that/is/rather/long?with=parameters&and=more');
  client.send('{"jsonrpc":"2.0","id":7,', { fin: false });
  client.send('"method":"price"}', { fin: true });
  await dashboard.rig.waitForSession(({ frameCount }) => frameCount === 2);
  server.send('{"jsonrpc":"2.0","id":7,"result":12.5}');
  await page.getByRole('row').filter({ hasText: '└ continuation' }).click();
  await page.getByRole('button', { name: 'answer #2' }).waitFor();
});
afterAll(async () => {
  await dashboard.close();
});

/** What one can press or write in and that is not wholly in sight, and places that would have to be scrolled sideways. */
const faults = (): Promise<string[]> =>
  page.evaluate(() => {
    const found: string[] = [];
    for (const node of document.querySelectorAll<HTMLElement>('button, a, input, .detail-title b, .totals, .fact')) {
      const { left, right, width } = node.getBoundingClientRect();
      const cut = node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0 && node.tagName !== 'INPUT';
      if (width > 0 && (left < 0 || right > innerWidth || cut))
        found.push(`${node.className} ${node.textContent} ${left} ${right}`);
    }
    for (const node of document.querySelectorAll<HTMLElement>('.bits-left, .page, .top-bar, .detail-head, html')) {
      if (node.scrollWidth > node.clientWidth + 1) found.push(`${node.className} is wider than its place`);
    }
    return found;
  });

describe.each(SIZES)('at %d × %d', (width, height) => {
  beforeAll(async () => {
    await page.setViewportSize({ width, height });
  });

  test('every way to show a frame has its buttons and its head in sight', async () => {
    for (const name of ['Text', 'JSON', 'Decoded', 'Hex', 'Bits', 'Compare']) {
      await page.getByRole('tablist', { name: 'Ways to show it' }).getByRole('tab', { name }).click();
      expect(await faults(), name).toEqual([]);
    }
  });

  test('every view of a session has, too', async () => {
    for (const name of ['Messages', 'Handshake', 'Timing', 'Heartbeat', 'Statistics', 'Close', 'Frames']) {
      await page.getByRole('tablist', { name: 'Views of the session' }).getByRole('tab', { name }).click();
      await page.locator('.loading').waitFor({ state: 'detached' });
      expect(await faults(), name).toEqual([]);
    }
  });
});

test('a field of the bits is marked by the keyboard, with its bytes', async () => {
  await page.getByRole('tablist', { name: 'Ways to show it' }).getByRole('tab', { name: 'Bits' }).click();
  await page.getByRole('button', { name: /^opcode/ }).focus();
  await page.keyboard.press('Tab');
  await page.locator('.bit-means', { hasText: 'a masking key follows' }).waitFor();
  await expect.poll(() => page.locator('.hex-byte.hot').count()).toBe(1);
});
