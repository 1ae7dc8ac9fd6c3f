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
