import type { Socket } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DashboardPage, openDashboard } from './dashboard-page.ts';

let dashboard: DashboardPage;
let page: Page;
beforeAll(async () => {
  dashboard = await openDashboard({ deflate: true });
  ({ page } = dashboard);
});
afterAll(() => dashboard.close());

const content = () => page.getByRole('tabpanel', { name: 'Content' });
const row = (text: string) => page.getByRole('grid', { name: 'Frames' }).getByRole('row').filter({ hasText: text });
const show = (name: string) => page.locator('section.detail').getByRole('tab', { name, exact: true }).click();

test('a compressed message that comes slowly is shown as soon as it is whole, also where the session ends with it', async () => {
  const { server } = await dashboard.connect('/slow');
  server.send('{"part":', { fin: false });
  await page.getByRole('option').filter({ hasText: '/slow' }).click();
  await row('text ┐').click();
  await content().getByText('It has not come whole: nothing of it can be shown before.').waitFor();
  await show('Decoded');
  await page.getByRole('button', { name: 'this frame' }).click();
  await content().getByText('It has not come whole: nothing of it can be decoded before.').waitFor();
  server.send('"whole"}', { fin: true });
  server.close();
  await content().getByText('"whole"', { exact: true }).waitFor();
  await row('{"part":"whole"}').waitFor();
  await show('Text');
  await page.getByRole('button', { name: 'whole message' }).click();
  await content().getByText('{"part":"whole"}').waitFor();
  expect(dashboard.complaints).toEqual([]);
});

test('of a frame that comes slowly what has come is shown, as it grows', async () => {
  const { server } = await dashboard.connect('/large');
  const socket = Reflect.get(server, '_socket') as Socket;
  socket.write(Buffer.concat([Uint8Array.of(0x81, 100), Buffer.from('first ')]));
  await page.getByRole('option').filter({ hasText: '/large' }).click();
  await row('first').click();
  await content().getByText('The first 6 B are shown; the rest has not come.').waitFor();
  socket.write('second ');
  await content().getByText('The first 13 B are shown; the rest has not come.').waitFor();
  socket.write('x'.repeat(87));
  await content().getByText('first second x').waitFor();
  await content().getByText('has not come').waitFor({ state: 'detached' });
  expect(dashboard.complaints).toEqual([]);
});

test('a message that was interrupted is read once, and said to have been', async () => {
  const { client } = await dashboard.connect('/torn');
  const socket = Reflect.get(client, '_socket') as Socket;
  socket.write(Uint8Array.of(0x01, 0x84, 0, 0, 0, 0, 0x70, 0x61, 0x72, 0x74));
  socket.write(Uint8Array.of(0x81, 0x85, 0, 0, 0, 0, 0x77, 0x68, 0x6f, 0x6c, 0x65));
  await page.getByRole('option').filter({ hasText: '/torn' }).click();
  await page.getByRole('tab', { name: 'Messages' }).click();
  await page.getByRole('grid', { name: 'Messages' }).getByRole('row').filter({ hasText: 'part' }).click();
  await content().getByText('The first 4 B are shown; the rest never came.').waitFor();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.waitForTimeout(2500);
  expect(asked.filter((url) => url.includes('/payload'))).toEqual([]);
});

test('rows that pour in are drawn with all that they show, a few requests a second; a pause keeps the last in sight', async () => {
  const { server } = await dashboard.connect('/pouring');
  let sent = 0;
  const pour = (count: number): void => {
    for (let n = 0; n < count; n += 1) server.send(JSON.stringify({ op: 'tick', n: sent++, rest: 'x'.repeat(40) }));
  };
  pour(200);
  await page.getByRole('option').filter({ hasText: '/pouring' }).click();
  await page.getByRole('tab', { name: 'Frames' }).click();
  await row('"n":199,').waitFor();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const timer = setInterval(() => pour(3), 10);
  const drawn = await page.evaluate(async () => {
    const counts = { drawings: 0, empty: 0, last: '' };
    const endMs = performance.now() + 3000;
    while (performance.now() < endMs) {
      await new Promise(requestAnimationFrame);
      const rows = [...document.querySelectorAll('[aria-label=Frames] .vrow')].map((one) => one.textContent);
      counts.drawings += 1;
      if (rows.some((text) => !text.includes('"op":"tick"'))) counts.empty += 1;
      counts.last = rows.at(-1) ?? '';
    }
    return counts;
  });
  clearInterval(timer);
  expect(drawn.drawings).toBeGreaterThan(30);
  // Where a busy machine takes longer than what is waited for, rows are drawn before their text.
  expect(drawn.empty / drawn.drawings).toBeLessThan(0.2);
  expect(Number(/"n":(\d+),/.exec(drawn.last)?.[1])).toBeGreaterThan(400);
  expect(asked.filter((url) => url.includes('/frames?')).length).toBeLessThan(20);
  await row(`"n":${sent - 1},`).waitFor();
  await page.getByRole('button', { name: 'Pause view' }).click();
  await page.getByRole('button', { name: 'Resume view' }).first().waitFor();
  const gap = await row(`"n":${sent - 1},`).evaluate((node) => {
    const list = node.closest('[role=grid]');
    return (list?.getBoundingClientRect().bottom ?? 0) - node.getBoundingClientRect().bottom;
  });
  expect(gap).toBeGreaterThanOrEqual(0);
  await page.getByRole('button', { name: 'Resume view' }).first().click();
});
