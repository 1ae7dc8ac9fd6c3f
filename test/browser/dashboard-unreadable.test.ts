import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { type DashboardPage, openDashboard } from './dashboard-page.ts';

const MESSAGES = 20_000;
let dashboard: DashboardPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard({ deflate: true, flags: { memoryBytes: '8MiB' } });
  ({ page } = dashboard);
});
afterAll(() => dashboard.close());

const list = () => page.getByRole('grid', { name: 'Messages' });
const find = () => page.getByRole('textbox', { name: 'Find in this session' });
const count = () => page.getByRole('status').filter({ hasText: ' of ' });

/** Sends compressed messages that build on each other, more than are held; `pause` between parts of them. */
async function pour(path: string, server: WebSocket, pause: () => Promise<unknown>): Promise<void> {
  for (let sent = 0; sent < MESSAGES; sent++) {
    if (sent % 1000 === 0) await pause();
    server.send(`line ${sent}${sent % 100 === 7 ? ' needle' : ''} ${randomBytes(380).toString('hex')}`);
  }
  await dashboard.rig.waitForSession(({ url, frameCount }) => url.endsWith(path) && frameCount === MESSAGES);
}

test('messages that were looked at while they came are found after those before them have been evicted', async () => {
  const { server } = await dashboard.connect('/watched');
  await page.getByRole('option').filter({ hasText: '/watched' }).click();
  await pour('/watched', server, () => page.waitForTimeout(300));
  await page
    .getByRole('row')
    .filter({ hasText: `line ${MESSAGES - 1} ` })
    .waitFor();
  await page.getByRole('tab', { name: 'Messages' }).click();
  await find().fill('needle');
  await list()
    .getByRole('row')
    .filter({ hasText: /line 199\d\d needle/ })
    .waitFor();
  await list().press('Home');
  await page
    .getByRole('region', { name: 'Text' })
    .getByText(/^line \d+07 needle/)
    .waitFor();
  const { id } = await dashboard.rig.waitForSession(({ url }) => url.endsWith('/watched'));
  const { firstHeldFrame } = await dashboard.rig.session(id);
  expect(firstHeldFrame).toBeGreaterThan(1000);
  await expect.poll(async () => Number((await count().textContent())?.split(' ')[0])).toBeGreaterThan(50);
});

test('messages that nobody looked at before what they build on was evicted are said to be unreadable', async () => {
  const { server } = await dashboard.connect('/unwatched');
  await pour('/unwatched', server, () => Promise.resolve());
  await find().fill('');
  await page.getByRole('option').filter({ hasText: '/unwatched' }).click();
  await page.getByRole('tab', { name: 'Messages' }).click();
  await list().getByRole('row').nth(3).waitFor();
  await list().press('End');
  await page.getByRole('tabpanel', { name: 'Content' }).getByText('it builds on earlier messages').waitFor();
  await find().fill('needle');
  await count()
    .filter({ hasText: /^0 of [\d,]+ · [\d,]+ could not be read$/ })
    .waitFor();
});
