import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import protobufjs from 'protobufjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityFaults, type DashboardPage, openDashboard, type Pair } from './dashboard-page.ts';

const MONEY = 'syntax = "proto3"; package shop; message Money { int64 units = 1; string currency = 2; }';
const ORDER = `syntax = "proto3";
package shop;
import "shop/money.proto";
enum Side { UNKNOWN = 0; BUY = 1; SELL = 2; }
message Order { int64 id = 1; string user_name = 2; Side side = 3; Money price = 4; }
message Trade { int64 number = 1; string counterparty = 2; }`;
/** Many, so that the list has to be searched. */
const MANY = Array.from({ length: 300 }, (_, i) => `message Thing${i} { string only_${i} = ${i + 100}; }`).join('\n');

let folder: string;
let dashboard: DashboardPage;
let page: Page;
let pair: Pair;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frametap-protos-'));
  dashboard = await openDashboard();
  ({ page } = dashboard);
  pair = await dashboard.connect('/trades');
  await page.getByRole('option').filter({ hasText: '/trades' }).click();
});
afterAll(async () => {
  await dashboard.close();
  await rm(folder, { recursive: true, force: true });
});

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}
/** Sends an order to the client, as protobufjs writes it, and selects its row. */
async function sendOrder(id: string): Promise<void> {
  const root = new protobufjs.Root();
  for (const text of [MONEY, ORDER]) protobufjs.parse(text, root, { keepCase: true });
  const Order = root.lookupType('shop.Order');
  const order = { id, user_name: `user ${id}`, side: 2, price: { units: 7, currency: 'EUR' } };
  const rows = page.getByRole('grid', { name: 'Frames' }).getByRole('row').filter({ hasText: 'binary' });
  const before = await rows.count();
  pair.server.send(Order.encode(Order.fromObject(order)).finish());
  await rows.nth(before).waitFor();
  await page.getByRole('grid', { name: 'Frames' }).press('End');
}
const decoder = (name: string) => page.getByRole('button', { name: `Decoder: ${name}` });
const value = (text: string) =>
  page.getByRole('tree', { name: 'Decoded' }).getByRole('treeitem').filter({ hasText: text });
const item = (name: string) => page.getByRole('menuitem', { name });
const dialog = () => page.getByRole('dialog', { name: 'Protobuf types' });
/** Picks files where a click opens the browser's own dialog. */
async function pick(click: () => Promise<void>, paths: readonly string[]): Promise<void> {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), click()]);
  await chooser.setFiles([...paths]);
}

/** Without the guards by which the library's menus keep the focus inside: they are meant to be reached. */
const faults = async (): Promise<string[]> =>
  (await accessibilityFaults(page)).filter((fault) => !fault.includes('data-base-ui-focus-guard'));

describe('protobuf messages in the dashboard', () => {
  test('have their fields by number until a .proto is loaded, and by name from then on', async () => {
    await sendOrder('9007199254740993');
    await page.getByRole('tab', { name: 'Decoded' }).click();
    await decoder('protobuf').click();
    const paths = [await fileOf('order.proto', ORDER), await fileOf('money.proto', MONEY)];
    await pick(() => item('Load a .proto…').click(), paths);
    await decoder('protobuf:shop.Order').waitFor();
    await page.getByText('3 message types are loaded').waitFor();
    for (const text of [
      'id: 9007199254740993',
      'user_name: "user 9007199254740993"',
      'side: "SELL"',
      'currency: "EUR"',
    ]) {
      await value(text).waitFor();
    }
  });

  test('are decoded by another type that was chosen, and so is the next one', async () => {
    await decoder('protobuf:shop.Order').click();
    await item('protobuf:shop.Trade').click();
    await decoder('protobuf:shop.Trade chosen').waitFor();
    await value('number: 9007199254740993').waitFor();
    await value('$unknown').waitFor();
    await sendOrder('5');
    await value('counterparty: "user 5"').waitFor();
    await decoder('protobuf:shop.Trade chosen').click();
    await item('auto').click();
    await value('user_name: "user 5"').waitFor();
  });

  test('say so where they cannot be read as the type that is kept', async () => {
    await decoder('protobuf:shop.Order').click();
    await item('protobuf:shop.Trade').click();
    await decoder('protobuf:shop.Trade chosen').waitFor();
    pair.server.send('{"a":"text"}');
    await page.getByRole('grid', { name: 'Frames' }).getByRole('row').filter({ hasText: '"text"' }).waitFor();
    await page.getByRole('grid', { name: 'Frames' }).press('End');
    await decoder('json').waitFor();
    await page.getByText('not readable as shop.Trade').waitFor();
    await decoder('json').click();
    await item('auto').click();
    await page.getByText('not readable as').waitFor({ state: 'detached' });
  });

  test('keep the types they have where a file is wrong, and the file and line are told', async () => {
    await sendOrder('6');
    const wrong = await fileOf('wrong.proto', 'syntax = "proto3";\n\nmessage Wrong {\n  int32 a = b;\n}\n');
    await decoder('protobuf:shop.Order').click();
    await pick(() => item('Load a .proto…').click(), [wrong]);
    const alert = page.getByRole('alert').filter({ hasText: 'wrong.proto, line 4: expected a number, but found "b".' });
    await alert.waitFor();
    await value('user_name: "user 6"').waitFor();
    await alert.getByRole('button', { name: 'Dismiss' }).click();
    await alert.waitFor({ state: 'detached' });
    await decoder('protobuf:shop.Order').click();
    await pick(() => item('Load a .proto…').click(), [wrong]);
    await alert.waitFor();
    await fileOf('wrong.proto', 'syntax = "proto3";\nmessage Right { bytes none = 99; }\n');
    await decoder('protobuf:shop.Order').click();
    await pick(() => item('Load a .proto…').click(), [wrong]);
    await page.getByText('4 message types are loaded').waitFor();
    await alert.waitFor({ state: 'detached' });
  });

  test('find their type among many, in the list of all', async () => {
    await decoder('protobuf:shop.Order').click();
    await pick(() => item('Load a .proto…').click(), [await fileOf('many.proto', `syntax = "proto3"; ${MANY}`)]);
    await page.getByText('304 message types are loaded').waitFor();
    await decoder('protobuf:shop.Order').click();
    await item('Types and files…').click();
    await dialog().getByText('104 more').waitFor();
    await dialog().getByRole('searchbox', { name: 'Find a type' }).fill('trade');
    await expect
      .poll(() => dialog().getByRole('list', { name: 'Message types' }).getByRole('listitem').count())
      .toBe(1);
    await dialog().getByRole('button', { name: 'shop.Trade' }).click();
    await dialog().waitFor({ state: 'detached' });
    await decoder('protobuf:shop.Trade chosen').waitFor();
  });

  test('lose the types of files that are removed, but not of one that another needs', async () => {
    await decoder('protobuf:shop.Trade').click();
    await item('Types and files…').click();
    await dialog().getByRole('button', { name: 'Remove money.proto' }).click();
    await dialog()
      .getByText(/^money\.proto stays\. order\.proto, line 5: .* found "Money"/)
      .waitFor();
    await dialog().getByRole('button', { name: 'Remove order.proto' }).click();
    await page.getByText('302 message types are loaded').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('shop.Trade is not loaded').waitFor();
    await decoder('protobuf').click();
    await item('Types and files…').click();
    await dialog().getByRole('button', { name: 'Remove all' }).click();
    await dialog().getByText('No file is loaded.').waitFor();
    await page.keyboard.press('Escape');
    await decoder('protobuf').click();
    expect(await item('Types and files…').count()).toBe(0);
    await item('auto').click();
    await page.getByText('is not loaded').waitFor({ state: 'detached' });
  });

  test('can be had by everyone: axe finds nothing wrong in menu, list or fault, light or dark', async () => {
    await decoder('protobuf').click();
    await pick(() => item('Load a .proto…').click(), [join(folder, 'order.proto'), join(folder, 'money.proto')]);
    await decoder('protobuf:shop.Order').click();
    await pick(() => item('Load a .proto…').click(), [await fileOf('bad.proto', 'message')]);
    await page.getByRole('alert').filter({ hasText: 'bad.proto' }).waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await decoder('protobuf:shop.Order').click();
      expect(await faults(), `menu, ${colorScheme}`).toEqual([]);
      await item('Types and files…').click();
      await dialog().waitFor();
      expect(await faults(), `list, ${colorScheme}`).toEqual([]);
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'detached' });
    }
  });

  test('never made the dashboard complain', () => {
    expect(dashboard.complaints.filter((each) => !each.includes('status of 400'))).toEqual([]);
  });
});
