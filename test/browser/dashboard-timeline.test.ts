import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityFaults, type DashboardPage, openDashboard } from './dashboard-page.ts';

let dashboard: DashboardPage;
let page: Page;
let firstOfStretch = 0;

beforeAll(async () => {
  dashboard = await openDashboard();
  ({ page } = dashboard);
  const { client, server } = await dashboard.connect('/paced');
  await page.getByRole('option').first().click();
  for (let n = 0; n < 300; n += 1) {
    server.send(`down ${n}.`);
    if (n % 3 === 0) client.send(`up ${n}.`);
    if (n % 10 === 0) await dashboard.rig.waitForSession(({ frameCount }) => frameCount > n);
  }
  await dashboard.rig.waitForSession(({ frameCount }) => frameCount === 400);
  await tab('Timing').click();
});
afterAll(async () => {
  await dashboard.close();
});

const grid = () => page.getByRole('grid', { name: 'Frames' });
const tab = (name: string) => page.getByRole('tablist', { name: 'Views of the session' }).getByRole('tab', { name });

describe('the timeline', () => {
  test('is brushed with the keyboard, and its stretch listed: the frames that it has counted', async () => {
    await page.getByRole('slider', { name: 'From this time' }).focus();
    await page.keyboard.press('PageUp');
    await page.keyboard.press('PageUp');
    await page.getByRole('slider', { name: 'To this time' }).focus();
    await page.keyboard.press('PageDown');
    const counts = page.locator('.brush b');
    const [up, down] = (await counts.allTextContents()).map(Number);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'show these frames' }).click();
    const chip = /^frames (\d+)–(\d+)/.exec((await page.getByTitle('Chosen in the timeline').textContent()) ?? '');
    const [from, last] = [Number(chip?.[1]), Number(chip?.[2])];
    firstOfStretch = from;
    const frames = (await dashboard.rig.frames('1')).slice(from, last + 1);
    expect(from).toBeGreaterThan(0);
    expect(last).toBeLessThan(399);
    expect(frames.filter(({ direction }) => direction === 'client-to-server').length).toBe(up);
    expect(frames.filter(({ direction }) => direction === 'server-to-client').length).toBe(down);
    await page.getByText(`${last - from + 1} of 400`).waitFor();
    expect(await grid().getAttribute('aria-rowcount')).toBe(String(last - from + 2));
    await grid().press('Home');
    await page.locator(`#frame-${from}[aria-selected=true]`).waitFor();
    await grid().press('End');
    await page.locator(`#frame-${last}[aria-selected=true]`).waitFor();
  });

  test('has its stretch searched alone, and all frames again on demand, in the same place', async () => {
    const stretch = await grid().getAttribute('aria-rowcount');
    await page.getByRole('group', { name: 'Direction' }).getByRole('button', { name: '↑ to server' }).click();
    const listed = page.getByText(/^[1-9]\d* of 400$/);
    const isSearched = async (): Promise<boolean> =>
      `${Number(await grid().getAttribute('aria-rowcount')) - 1} of 400` === (await listed.textContent());
    await expect.poll(() => grid().getAttribute('aria-rowcount')).not.toBe(stretch);
    await expect.poll(isSearched).toBe(true);
    expect(Number((await listed.textContent())?.replace(' of 400', ''))).toBeLessThan(134);
    await page.getByRole('group', { name: 'Direction' }).getByRole('button', { name: 'All' }).click();
    await expect.poll(() => grid().getAttribute('aria-rowcount')).toBe(stretch);
    await grid().press('Home');
    await page.locator(`#frame-${firstOfStretch}[aria-selected=true]`).waitFor();
    await page.getByTitle('Chosen in the timeline').click();
    await expect.poll(() => grid().getAttribute('aria-rowcount')).toBe('401');
    await page.locator(`#frame-${firstOfStretch}[aria-selected=true]`).waitFor();
  });

  test('is brushed with the mouse, also while other sessions come', async () => {
    await tab('Timing').click();
    await page.getByRole('rowheader', { name: 'First frame' }).waitFor();
    await page.locator('.u-over').hover({ position: { x: 100, y: 40 } });
    await page.mouse.down();
    const box = await page.locator('.u-over').boundingBox();
    await page.mouse.move((box?.x ?? 0) + 300, (box?.y ?? 0) + 60, { steps: 4 });
    await dashboard.connect('/other');
    await page.getByRole('option').filter({ hasText: '/other' }).waitFor();
    const marked = await page.locator('.u-select').boundingBox();
    expect(Math.abs((marked?.x ?? 0) - (box?.x ?? 0) - 100)).toBeLessThan(20);
    expect(Math.abs((marked?.width ?? 0) - 200)).toBeLessThan(40);
    await page.mouse.up();
    await page.getByRole('button', { name: 'let go' }).click();
    await page.getByText('Drag over the chart').waitFor();
  });
});
