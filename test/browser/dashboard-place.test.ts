import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DashboardPage, openDashboard } from './dashboard-page.ts';

const FRAMES = 2000;
let dashboard: DashboardPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard();
  ({ page } = dashboard);
  const { server } = await dashboard.connect('/long');
  for (let n = 0; n < FRAMES; n += 1) server.send(`line ${n}.`);
  for (let n = 0; n < 60; n += 1) await dashboard.connect(`/other/${n}`);
  await dashboard.rig.waitForSession(({ frameCount }) => frameCount === FRAMES);
});
afterAll(async () => {
  await dashboard.close();
});

const sessions = () => page.getByRole('listbox', { name: 'Sessions' });
const tab = (name: string) => page.getByRole('tablist', { name: 'Views of the session' }).getByRole('tab', { name });
const selected = (name: 'Frames' | 'Messages') =>
  page.getByRole('grid', { name }).locator('[aria-selected=true]').first();

/** The position at the top of a list, and how much of it is hidden: 12.5. */
const standsAt = (name: 'Frames' | 'Messages') =>
  page.getByRole('grid', { name }).evaluate((node) => Math.round((node.scrollTop / 21) * 2) / 2);
const standAt = async (name: 'Frames' | 'Messages', position: number) => {
  const list = page.getByRole('grid', { name });
  await list.getByRole('row').nth(3).waitFor();
  await list.evaluate((node, top) => (node.scrollTop = top), position * 21);
};

describe('the address', () => {
  test('brings a reload back to the frame, the way it is shown, the filter and what was looked for', async () => {
    await page.getByText('61', { exact: true }).first().waitFor();
    await sessions().press('Home');
    await page.locator(`[aria-label=Frames][aria-rowcount="${FRAMES + 1}"]`).press('Home');
    await page.locator('#frame-0[aria-selected=true]').waitFor();
    await page.getByRole('textbox', { name: 'Find in this session' }).fill('/line 12\\d\\d/');
    await page.getByText('100 of 2,000').waitFor();
    await page.getByRole('row').filter({ hasText: 'line 1205.' }).click();
    await page.getByRole('tab', { name: 'Hex' }).click();
    await page.getByRole('combobox', { name: 'Filter' }).fill('url:long');
    await page.waitForURL(/frame=1205&view=hex&filter=url%3Along/);
    await page.reload();
    await expect.poll(() => selected('Frames').textContent()).toContain('line 1205.');
    await page.getByText('100 of 2,000').waitFor();
    await page.getByRole('tab', { name: 'Hex', selected: true }).waitFor();
    expect(await page.getByRole('combobox', { name: 'Filter' }).inputValue()).toBe('url:long');
    await page.locator('#session-1[aria-selected=true]').waitFor();
    await page.getByRole('combobox', { name: 'Filter' }).fill('');
    await page.getByRole('textbox', { name: 'Find in this session' }).fill('');
    await expect.poll(() => selected('Frames').textContent()).toContain('line 1205.');
  });

  test('keeps the session in sight in a long list while the rest is loaded', async () => {
    await page.waitForURL((url) => !/filter|find/.test(url.hash));
    await page.reload();
    await page.locator('#session-1[aria-selected=true]').waitFor();
    await page.getByText('61', { exact: true }).first().waitFor();
    await page.locator('#session-1').waitFor();
  });

  test('shows a message that is far from the first ones', async () => {
    await tab('Messages').click();
    await page.locator('[aria-label=Messages][aria-rowcount="2001"]').press('End');
    await page.keyboard.press('k');
    await page.waitForURL(/tab=messages.*message=1998/);
    await page.reload();
    await expect.poll(() => selected('Messages').textContent()).toContain('line 1998.');
    await page.getByText('Message 1,998 ↓ text').waitFor();
  });

  test('goes back with the browser to the tab and session before', async () => {
    await tab('Timing').click();
    await page.waitForURL(/tab=timing/);
    await page.keyboard.press(']');
    await page.waitForURL(/session=2&/);
    await page.goBack();
    await page.locator('#session-1[aria-selected=true]').waitFor();
    await page.goBack();
    await page.getByRole('tab', { name: 'Messages', selected: true }).waitFor();
    await expect.poll(() => selected('Messages').textContent()).toContain('line 1998.');
  });

  test('keeps where the lists stood, over a change of tab and a reload', async () => {
    await tab('Frames').click();
    await page.getByRole('row').filter({ hasText: 'line 1205.' }).waitFor();
    await standAt('Frames', 500.5);
    await page.waitForURL(/[#&]at=500&/);
    await tab('Messages').click();
    await standAt('Messages', 700.5);
    await page.waitForURL(/[#&]messages-at=700&/);
    await tab('Frames').click();
    await expect.poll(() => standsAt('Frames')).toBe(500.5);
    await tab('Messages').click();
    await expect.poll(() => standsAt('Messages')).toBe(700.5);
    await page.reload();
    await expect.poll(() => standsAt('Messages')).toBe(700);
    await tab('Frames').click();
    await expect.poll(() => standsAt('Frames')).toBe(500);
    // What is selected is far from there, and stays it.
    expect(page.url()).toMatch(/[#&]frame=1205&/);
    await page.getByText('#1,205 ↓ text').waitFor();
  });

  test('keeps where a filtered list stands, and goes to what is selected without the filter', async () => {
    const find = page.getByRole('textbox', { name: 'Find in this session' });
    await find.fill('/line \\d*7\\./');
    await page.getByText('200 of 2,000').waitFor();
    await standAt('Frames', 100);
    await page.waitForURL(/[#&]at=1007&/);
    await page.reload();
    await page.getByText('200 of 2,000').waitFor();
    await expect.poll(() => standsAt('Frames')).toBe(100);
    await find.fill('');
    await page.locator('#frame-1205[aria-selected=true]').waitFor();
  });

  test('keeps that a list is followed, also with a frame selected', async () => {
    await page.getByRole('button', { name: 'follow' }).click();
    await page.waitForURL(/[#&]at=end&/);
    await page.reload();
    await page.locator('#frame-1999').waitFor();
    await page.getByRole('button', { name: 'follow', pressed: true }).waitFor();
    await page.getByText('#1,205 ↓ text').waitFor();
    await tab('Messages').click();
    await expect.poll(() => standsAt('Messages')).toBe(700);
    await tab('Frames').click();
    await page.locator('#frame-1999').waitFor();
  });

  test('of another run of the server opens what is there, and no frame of another session', async () => {
    const url = new URL(page.url());
    url.hash = 'session=1&frame=5&run=ffffffff';
    const other = await dashboard.context.newPage();
    await other.goto(url.href);
    await other.locator('#session-61[aria-selected=true]').waitFor();
    expect(await other.getByRole('region', { name: 'Detail' }).count()).toBe(0);
    await other.close();
  });

  test('of a session that is gone says so', async () => {
    const { server } = await dashboard.connect('/gone');
    await page.getByText('62', { exact: true }).first().waitFor();
    await sessions().press('End');
    await page.waitForURL(/session=62&/);
    server.close();
    await dashboard.rig.waitForSession(({ id, state }) => id === '62' && state === 'closed');
    await dashboard.rig.fetch('/api/sessions/62', { method: 'DELETE' });
    const other = await dashboard.context.newPage();
    await other.goto(page.url());
    await other.getByText('This session is no longer held').waitFor();
    await other.close();
  });
});

describe('a clear', () => {
  test('of which a tab in the background hears leaves its lists as filtered, and as new, as one in sight', async () => {
    const { client } = await dashboard.connect('/cleared');
    for (let n = 0; n < 20; n += 1) client.send(`old ${n}.`);
    await sessions().getByText('/cleared').click();
    await tab('Frames').click();
    await page.getByRole('textbox', { name: 'Find in this session' }).fill('/[05]\\./');
    await page.getByText('4 of 20', { exact: true }).waitFor();
    for (const name of ['Frames', 'Messages'] as const) {
      await tab(name).click();
      const list = page.getByRole('grid', { name });
      await list.getByRole('row').nth(4).waitFor();
      // Nothing is drawn in the background.
      await page.evaluate(() => {
        const asked: FrameRequestCallback[] = [];
        const { requestAnimationFrame } = globalThis;
        globalThis.requestAnimationFrame = (callback) => asked.push(callback);
        Object.assign(globalThis, {
          comeBack: () => {
            globalThis.requestAnimationFrame = requestAnimationFrame;
            for (const callback of asked) requestAnimationFrame(callback);
          },
        });
      });
      await dashboard.rig.fetch('/api/clear', { method: 'POST' });
      for (let n = 0; n < 20; n += 1) client.send(`new in ${name} ${n}.`);
      await page.waitForTimeout(500);
      await page.evaluate('comeBack()');
      await expect
        .poll(() =>
          list
            .getByRole('row')
            .filter({ hasText: `new in ${name}` })
            .count(),
        )
        .toBe(4);
      expect(
        await list
          .getByRole('row')
          .filter({ hasText: /old|[1-46-9]\.$/ })
          .count(),
      ).toBe(0);
    }
    await page.getByRole('textbox', { name: 'Find in this session' }).fill('');
  });
});

describe('a filter that most pass', () => {
  const MANY = 40_000;

  test('is gone through to the end without all rows being fetched; where one jumps to they are', async () => {
    const { server } = await dashboard.connect('/many');
    for (let n = 0; n < MANY; n += 1) server.send(n % 10 === 3 ? 'else' : `many ${n}.`);
    await sessions().getByText('/many').click();
    await tab('Frames').click();
    await page.locator(`[aria-label=Frames][aria-rowcount="${MANY + 1}"]`).waitFor();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.getByRole('textbox', { name: 'Find in this session' }).fill('many');
    for (const name of ['Frames', 'Messages'] as const) {
      await tab(name).click();
      await page.getByText('36,000 of 40,000', { exact: true }).waitFor();
      const list = page.getByRole('grid', { name });
      await list.press('End');
      await list.getByRole('row', { selected: true }).filter({ hasText: 'many 39999.' }).waitFor();
      for (const share of [0.5, 0.1, 0.9]) {
        await list.evaluate((node, at) => (node.scrollTop = Math.floor((36_000 * at) / 9) * 9 * 21), share);
        await list
          .getByRole('row')
          .filter({ hasText: `many ${40_000 * share}.` })
          .waitFor();
        await expect.poll(() => list.locator('.missing').count()).toBe(0);
      }
    }
    expect(asked.filter((path) => path.endsWith('/frames')).length).toBeLessThan(10);
    expect(asked.filter((path) => path.endsWith('/messages')).length).toBeLessThan(15);
    await page.getByRole('textbox', { name: 'Find in this session' }).fill('');
  });
});

describe('the wheel', () => {
  const frames = () => page.getByRole('grid', { name: 'Frames' });
  const follow = (pressed: boolean) => page.getByRole('button', { name: 'follow', pressed });

  /** By how much one notch upwards moved the followed list. */
  const notchUp = async (px: number) => {
    await frames().hover();
    await page.keyboard.press('f');
    await follow(true).waitFor();
    await page.waitForTimeout(300);
    await frames().evaluate((node) => {
      const note = (): void => void (node.dataset['wheelAt'] = String(node.scrollTop));
      document.addEventListener('wheel', note, { capture: true, once: true });
    });
    await page.mouse.wheel(0, -px);
    await follow(false).waitFor();
    await page.waitForTimeout(500);
    const from = Number(await frames().getAttribute('data-wheel-at'));
    return from - (await frames().evaluate((node) => node.scrollTop));
  };

  test('moves a followed list up with its first notch, also while frames pour in', async () => {
    const { server } = await dashboard.connect('/pouring');
    for (let n = 0; n < 200; n += 1) server.send('still');
    await sessions().getByText('/pouring').click();
    await tab('Frames').click();
    await page.locator('[aria-label=Frames][aria-rowcount="201"]').waitFor();
    await follow(true).click();
    const still = [await notchUp(100), await notchUp(30), await notchUp(30)];
    const pour = setInterval(() => {
      for (let n = 0; n < 20; n += 1) server.send('drop');
    }, 5);
    await page.waitForTimeout(300);
    const pouring = [await notchUp(100), await notchUp(30), await notchUp(30)].map(Math.round);
    clearInterval(pour);
    expect(still.map(Math.round)).toEqual([100, 30, 30]);
    expect(pouring).toEqual([100, 30, 30]);
  });
});
