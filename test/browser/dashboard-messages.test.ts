import type { Socket } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessibilityFaults, type DashboardPage, openDashboard, type Pair } from './dashboard-page.ts';

let dashboard: DashboardPage;
let page: Page;
let pair: Pair;
beforeAll(async () => {
  dashboard = await openDashboard();
  ({ page } = dashboard);
  pair = await dashboard.connect('/talk');
  for (let n = 0; n < 400; n++) {
    pair.client.send(`{"ask":${n}}`);
    // Torn in the middle of a word: no frame holds it.
    pair.server.send(`{"answer":"${n % 100 === 0 ? 'nee' : 'hay'}`, { fin: false });
    pair.server.send(`${n % 100 === 0 ? 'dle' : 'hay'} ${n}"}`);
  }
  await page.getByRole('option').filter({ hasText: '/talk' }).click();
  await page.getByRole('tab', { name: 'Messages' }).click();
  await page.locator('[aria-label=Messages][aria-rowcount="801"]').waitFor();
});
afterAll(() => dashboard.close());

const list = () => page.getByRole('grid', { name: 'Messages' });
const row = (text: string) => list().getByRole('row').filter({ hasText: text });
const filter = () => page.getByRole('combobox', { name: 'Filter' });
const count = () => page.getByRole('status').filter({ hasText: ' of ' });

test('the filter at the top chooses messages by all of their content', async () => {
  await filter().fill('json.answer~/^needle/');
  await count().filter({ hasText: '4 of 800' }).waitFor();
  await expect.poll(() => list().getAttribute('aria-rowcount')).toBe('5');
  await page.getByRole('option').filter({ hasText: '/talk' }).waitFor();
  await row('needle 200').click();
  await page.getByRole('tabpanel', { name: 'Content' }).filter({ hasText: '{"answer":"needle 200"}' }).waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
});

test('what comes in later is chosen too, also where it takes its time', async () => {
  pair.server.send('{"answer":"nee', { fin: false });
  pair.client.send('{"ask":"in between"}');
  await count().filter({ hasText: 'of 802' }).waitFor();
  await count().filter({ hasText: '4 of 802' }).waitFor();
  // Longer than the list waits before it looks at what had not come whole.
  await page.waitForTimeout(1500);
  pair.server.send('dle, late"}');
  await count().filter({ hasText: '5 of 802' }).waitFor();
  await row('needle, late').waitFor();
});

test('the selected message stays in sight when others are listed', async () => {
  await row('needle 200').click();
  await filter().fill('');
  await count().waitFor({ state: 'detached' });
  await row('needle 200').waitFor();
  expect(await row('needle 200').getAttribute('aria-selected')).toBe('true');
  await row('hayhay 201').waitFor();
});

test('direction and text of the tools choose, and both lists agree on them', async () => {
  await page.getByRole('group', { name: 'Direction' }).getByRole('button', { name: 'to server' }).click();
  await page.getByRole('textbox', { name: 'Find in this session' }).fill('/"ask":39\\d/');
  await count().filter({ hasText: '10 of 802' }).waitFor();
  await row('{"ask":395}').waitFor();
  await page.getByRole('tab', { name: 'Frames' }).click();
  await count().filter({ hasText: '10 of 1,203' }).waitFor();
  await page.getByRole('textbox', { name: 'Find in this session' }).fill('/(/');
  await page.getByText('the regular expression is wrong').first().waitFor();
  await page.getByRole('tab', { name: 'Messages' }).click();
  await page.getByText('the regular expression is wrong').first().waitFor();
});

test('a frame that takes its time passes when it has come whole, though nothing comes after it', async () => {
  await page.getByRole('button', { name: 'All' }).first().click();
  await page.getByRole('tab', { name: 'Frames' }).click();
  await page.getByRole('textbox', { name: 'Find in this session' }).fill('at last');
  await count().filter({ hasText: '0 of 1,203' }).waitFor();
  const socket = Reflect.get(pair.server, '_socket') as Socket;
  socket.write(Buffer.concat([Uint8Array.of(0x81, 15), Buffer.from('it came ')]));
  await count().filter({ hasText: '0 of 1,204' }).waitFor();
  // Longer than it takes to look again at what had not come whole.
  await page.waitForTimeout(1500);
  expect(await count().textContent()).toContain('0 of 1,204');
  socket.write('at last');
  await count().filter({ hasText: '1 of 1,204' }).waitFor();
});
