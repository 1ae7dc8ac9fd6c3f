import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DashboardPage, openDashboard } from './dashboard-page.ts';

const FRAMES = 120_000;
/** So few pass the filter that each is in a part of the session of its own. */
const EVERY = 1100;
let dashboard: DashboardPage;
let page: Page;
const requests: string[] = [];

beforeAll(async () => {
  dashboard = await openDashboard();
  ({ page } = dashboard);
  page.on('request', (request) => requests.push(request.url()));
  const { server } = await dashboard.connect('/many');
  for (let n = 0; n < FRAMES; n += 1) server.send(`line ${n}${n % EVERY === 7 ? ' of the few' : ''}.`);
  await dashboard.rig.waitForSession(({ frameCount }) => frameCount === FRAMES);
  await page.getByRole('option').filter({ hasText: '/many' }).click();
});
afterAll(async () => {
  await dashboard.close();
});

const tab = (name: string) => page.getByRole('tablist', { name: 'Views of the session' }).getByRole('tab', { name });
const list = (name: string) => page.getByRole('grid', { name });
const row = (name: string, text: string) => list(name).getByRole('row').filter({ hasText: text });
const find = () => page.getByRole('textbox', { name: 'Find in this session' });
const count = () => page.getByRole('status').filter({ hasText: ' of ' });
const standAt = (name: string, position: number) =>
  list(name).evaluate((node, top) => (node.scrollTop = top), position * 21);

/** How far below the head of the list the selected row stands, in rows; the height of the list in rows. */
const selectedAt = (name: string) =>
  list(name).evaluate((node) => {
    const selected = node.querySelector('[aria-selected=true]');
    const top = node.getBoundingClientRect().top + 24;
    return {
      at: selected === null ? null : Math.round(((selected.getBoundingClientRect().top - top) / 21) * 10) / 10,
      of: (node.clientHeight - 24) / 21,
    };
  });
const inSight = async (name: string): Promise<boolean> => {
  const { at, of } = await selectedAt(name);
  return at !== null && at >= 0 && at <= of - 0.95;
};

describe.each(['Frames', 'Messages'])('what is selected among %s', (name) => {
  test('stays in sight above the detail that it opens, where it stood at the very bottom', async () => {
    await tab(name).click();
    await list(name).press('End');
    await page.keyboard.press('Escape');
    await page.locator('section.detail').waitFor({ state: 'detached' });
    await standAt(name, 1000);
    await row(name, 'line 1015.').waitFor();
    const { of } = await selectedAt(name);
    await row(name, `line ${999 + Math.floor(of)}.`).click();
    await page.locator('section.detail').waitFor();
    await expect.poll(() => inSight(name)).toBe(true);
    // Nothing moves it away again.
    await page.waitForTimeout(400);
    expect(await inSight(name)).toBe(true);
  });

  test('stands where it stood when others are chosen, and when all are listed again', async () => {
    await standAt(name, 1000);
    await row(name, 'line 1008.').click();
    await expect.poll(() => selectedAt(name)).toMatchObject({ at: 8 });
    await find().fill('/line \\d*[08]\\./');
    await count()
      .filter({ hasText: '24,0' })
      .or(count().filter({ hasText: 'searched' }))
      .waitFor();
    await expect.poll(() => selectedAt(name)).toMatchObject({ at: 8 });
    await find().fill('');
    await count().waitFor({ state: 'detached' });
    await expect.poll(() => selectedAt(name)).toMatchObject({ at: 8 });
    await row(name, 'line 1001.').waitFor();
  });

  test('is gone back to after a choice that did not have it; a step from it goes to its neighbours there', async () => {
    await find().fill('of the few');
    await row(name, 'line 1107 of').waitFor();
    expect((await selectedAt(name)).at).toBeNull();
    await find().fill('');
    await expect.poll(() => selectedAt(name)).toMatchObject({ at: 8 });
    await find().fill('of the few');
    await row(name, 'line 1107 of').waitFor();
    await list(name).focus();
    await page.keyboard.press('j');
    await expect.poll(() => row(name, 'line 1107 of').getAttribute('aria-selected')).toBe('true');
    await find().fill('');
    await expect.poll(() => inSight(name)).toBe(true);
    await page.keyboard.press('Escape');
  });
});

test('rows that passed a filter far apart are all shown in a tall window, and asked for once', async () => {
  await tab('Frames').click();
  await page.setViewportSize({ width: 1280, height: 2160 });
  await find().fill('of the few');
  await count().filter({ hasText: '110 of 120,000' }).waitFor();
  await list('Frames').press('Home');
  await row('Frames', 'line 7 of').waitFor();
  await expect.poll(() => page.locator('.frame.missing').count()).toBe(0);
  expect(await page.locator('.frame').count()).toBeGreaterThan(70);
  await list('Frames').press('End');
  await expect.poll(() => page.locator('.frame.missing').count()).toBe(0);
  requests.length = 0;
  await page.waitForTimeout(1500);
  expect(requests.filter((url) => url.includes('/frames?'))).toEqual([]);
});
