import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityFaults, type DashboardPage, openDashboard } from './dashboard-page.ts';

let dashboard: DashboardPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard();
  ({ page } = dashboard);
});
afterAll(async () => {
  await dashboard.close();
});

const grid = () => page.getByRole('grid', { name: 'Frames' });
const row = (text: string) => grid().getByRole('row').filter({ hasText: text });
const tab = (name: string) => page.getByRole('tablist', { name: 'Views of the session' }).getByRole('tab', { name });
const session = (path: string) => page.getByRole('option').filter({ hasText: path });

describe('the dashboard', () => {
  test('teaches, while it is empty, how to point something at the proxy', async () => {
    await page.getByText('Nothing captured yet').waitFor();
    await page.getByRole('button', { name: 'Copy frametap browser https://example.com' }).click();
    await page.getByText('Line copied').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('frametap browser https://example.com');
    await expect.poll(() => page.getByText(dashboard.rig.app.proxy.url).count()).toBeGreaterThan(0);
    const link = await page.getByRole('link', { name: 'Download ca.pem' }).getAttribute('href');
    const response = await page.request.get(new URL(link ?? '', page.url()).href);
    expect(await response.text()).toContain('BEGIN CERTIFICATE');
  });

  test('shows a session at the moment it opens, and its frames as they pass', async () => {
    const { client, server } = await dashboard.connect('/chat', { protocols: ['chat.v1'] });
    await session('/chat').click();
    client.send('{"op":"hello","id":9007199254740993}');
    server.send('first answer');
    server.ping('are you there');
    await row('first answer').waitFor();
    await row('"op":"hello"').waitFor();
    await row('ping 9').waitFor();
    await row('pong 10').waitFor();
    await expect.poll(() => page.getByText('chat.v1').count()).toBeGreaterThan(0);
  });

  test('shows fragments as a branch under their first frame', async () => {
    const { client } = await dashboard.connect('/fragments');
    await session('/fragments').click();
    client.send('{"part', { fin: false });
    client.send('s":', { fin: false });
    client.send('3}', { fin: true });
    await row('└ continuation').waitFor();
    await expect.poll(() => row('├ continuation').count()).toBe(1);
    await expect.poll(() => row('text ┐').count()).toBe(1);
    await row('└ continuation').click();
    await page.getByRole('tab', { name: 'JSON' }).click();
    await page.getByRole('tree', { name: 'JSON' }).getByText('parts').waitFor();
  });

  test("shows a frame's bits, and marks field and bytes together", async () => {
    await session('/chat').click();
    await row('"op":"hello"').click();
    await page.getByRole('tab', { name: 'Bits' }).click();
    await page.locator('.bit-field', { hasText: 'masking key' }).first().hover();
    const hot = page.locator('.hex-byte.hot');
    await hot.first().waitFor();
    const key = (await hot.allTextContents()).join('');
    const [frame] = await dashboard.rig.frames('1');
    expect(key).toBe(frame?.maskingKey);
    await page.locator('.hex-byte').nth(0).hover();
    await page.locator('.bit-field.hot', { hasText: 'opcode' }).waitFor();
  });

  test('keeps big numbers as they were written, and copies the path of a value', async () => {
    await page.getByRole('tab', { name: 'JSON' }).click();
    await page.getByRole('treeitem').filter({ hasText: '9007199254740993' }).click();
    await page.getByRole('button', { name: 'path' }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('$.id');
  });

  test('decodes by the decoder that fits, and keeps to another one that was chosen', async () => {
    const { client } = await dashboard.connect('/socket.io/?EIO=4&transport=websocket');
    await session('/socket.io/').click();
    client.send('42["order",{"id":12345678901234567890}]');
    client.send('42["order",{"id":2}]');
    await row('{"id":2}').waitFor();
    await row('{"id":12345678901234567890}').click();
    await page.getByRole('tab', { name: 'Decoded' }).click();
    await page.getByRole('button', { name: 'Decoder: socket.io' }).waitFor();
    const tree = page.getByRole('tree', { name: 'Decoded' });
    await tree.getByRole('treeitem').filter({ hasText: 'packet: "event"' }).waitFor();
    await tree.getByRole('treeitem').filter({ hasText: '12345678901234567890' }).first().waitFor();
    await page.getByRole('button', { name: 'Decoder: socket.io' }).click();
    await page.getByRole('menuitem', { name: 'hex' }).click();
    await page.getByRole('button', { name: 'Decoder: hex' }).waitFor();
    await row('{"id":2}').click();
    await tree.getByRole('treeitem').filter({ hasText: '3432' }).waitFor();
    await page.getByRole('button', { name: 'Decoder: hex' }).click();
    await page.getByRole('menuitem', { name: 'auto' }).click();
    await page.getByRole('button', { name: 'Decoder: socket.io' }).waitFor();
    await page.getByRole('tab', { name: 'Text' }).click();
  });

  test('links a request with its answer, says how long it took, and goes there', async () => {
    const { client, server } = await dashboard.connect('/rpc');
    await session('/rpc').click();
    client.send('{"jsonrpc":"2.0","id":7,"method":"price"}');
    await row('"method":"price"').click();
    await page.getByText('no answer yet').waitFor();
    server.send('{"jsonrpc":"2.0","method":"note"}');
    server.send('{"jsonrpc":"2.0","id":7,"result":12.5}');
    const { id } = await dashboard.rig.waitForSession((each) => each.url.endsWith('/rpc') && each.frameCount === 3);
    const [request, , answer] = await dashboard.rig.frames(id);
    const toMs = (time = ''): number => Date.parse(time) + Number(time.slice(-4, -1)) / 1000;
    const latencyMs = toMs(answer?.time) - toMs(request?.time);
    const toAnswer = page.getByRole('button', { name: 'answer #2' });
    await toAnswer.waitFor();
    const shown = /([\d.,]+) (m?s)/.exec((await toAnswer.textContent()) ?? '');
    const shownMs = Number(shown?.[1]?.replace(',', '')) * (shown?.[2] === 's' ? 1000 : 1);
    expect(Math.abs(shownMs - latencyMs)).toBeLessThan(Math.max(2, latencyMs / 20));
    await toAnswer.click();
    await page.getByText('#2 ↓ text').waitFor();
    await page.getByRole('button', { name: 'request #0' }).click();
    await page.getByText('#0 ↑ text').waitFor();
    await tab('Messages').click();
    await page.getByRole('grid', { name: 'Messages' }).getByRole('row').filter({ hasText: 'result' }).click();
    await page.getByRole('button', { name: 'request #0' }).click();
    await page.getByText('Message 0 ↑ text').waitFor();
    await tab('Frames').click();
  });

  test('offers what may stand in the filter, as the server knows it', async () => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type('op:pi');
    await page.getByRole('listbox', { name: 'Completions' }).getByRole('option', { name: 'ping' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('combobox', { name: 'Filter' }).inputValue()).toBe('op:ping');
    await page.getByRole('combobox', { name: 'Filter' }).fill('is:');
    await page.getByRole('alert').filter({ hasText: 'expected one of connecting' }).waitFor();
    await page.getByRole('listbox', { name: 'Completions' }).getByRole('option', { name: 'violated' }).waitFor();
    await page.getByRole('combobox', { name: 'Filter' }).fill('');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await session('/chat').click();
  });

  test('compares two frames', async () => {
    await row('"op":"hello"').click();
    await page.getByRole('button', { name: 'mark' }).click();
    await row('first answer').click();
    await page.locator('.diff.added', { hasText: 'first answer' }).waitFor();
    await page.locator('.diff.removed', { hasText: '9007199254740993' }).waitFor();
    await page.getByRole('tab', { name: 'Text' }).click();
  });

  test('proves the accept value and marks what the proxy changed', async () => {
    await tab('Handshake').click();
    await page.getByText('equal', { exact: true }).nth(1).waitFor();
    const detail = await dashboard.rig.session('1');
    for (const { received } of [detail.proof.client, detail.proof.server]) {
      await expect.poll(() => page.getByText(received ?? '?').count()).toBeGreaterThan(0);
    }
    const changed = await page.locator('.head-line.changed').allTextContents();
    expect(changed.filter((line) => line.includes('Sec-WebSocket-Key'))).toHaveLength(2);
    await tab('Frames').click();
  });

  test('shows a refused handshake as a session, with the status and the reason', async () => {
    await expect(dashboard.connect('/forbidden')).rejects.toThrow();
    await session('/forbidden').filter({ hasText: '401' }).click();
    await page.getByRole('button', { name: 'See the handshake' }).click();
    await page.getByText('The handshake failed.').waitFor();
    await tab('Frames').click();
  });

  test('says who closed, with which code, and whether the echo came', async () => {
    const { server } = await dashboard.connect('/closing');
    server.close(4321, 'enough for today');
    await session('/closing').filter({ hasText: '4321' }).click();
    await tab('Close').click();
    await page.getByText('The server closed it with a closing handshake.').waitFor();
    await page.getByText('enough for today').first().waitFor();
    await page.getByText(/the other close frame came after/).waitFor();
    await tab('Frames').click();
    await row('4321').first().waitFor();
  });

  test('keeps selection, place and detail while frames pour in, and follows only at the end', async () => {
    const { server } = await dashboard.connect('/pouring');
    await session('/pouring').click();
    for (let n = 0; n < 500; n += 1) server.send(`line ${n}.`);
    await row('line 499.').waitFor();
    await grid().press('Home');
    for (let n = 0; n < 5; n += 1) await page.keyboard.press('j');
    await page.getByText('#5 ↓ text').waitFor();
    const top = await grid().evaluate((node) => node.scrollTop);
    for (let n = 500; n < 3000; n += 1) server.send(`line ${n}.`);
    await session('/pouring').filter({ hasText: '3,000' }).waitFor();
    expect(await grid().evaluate((node) => node.scrollTop)).toBe(top);
    expect(await grid().locator('[aria-selected=true]').textContent()).toContain('line 5.');
    await page.keyboard.press('f');
    await row('line 2999.').waitFor();
    server.send('the newest');
    await row('the newest').waitFor();
  });

  test('filters frames in the session, and puts a wrong filter where it is wrong', async () => {
    await page.getByRole('textbox', { name: 'Find in this session' }).fill('/line 12\\d\\d\\./');
    await page.getByText('100 of 3,001').waitFor();
    await row('line 1299.').waitFor();
    await grid().press('Home');
    await row('line 1200.').waitFor();
    await page.getByRole('textbox', { name: 'Find in this session' }).fill('');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type('is:open and len>>5');
    await page.getByRole('alert').filter({ hasText: 'At character' }).waitFor();
    expect(await page.locator('.filter-fault mark').textContent()).toBe('>');
    await page.getByRole('combobox', { name: 'Filter' }).fill('url:pouring');
    await expect.poll(() => page.getByRole('option').filter({ hasText: '127.0.0.1' }).count()).toBe(1);
    await page.getByRole('combobox', { name: 'Filter' }).fill('');
    await session('/chat').waitFor();
    await page.keyboard.press('Escape');
  });

  test('pauses the view and not the capture', async () => {
    const { client } = await dashboard.connect('/paused');
    await session('/paused').click();
    client.send('before the pause');
    await row('before the pause').waitFor();
    await page.keyboard.press('p');
    await page.getByText('The view is paused.').waitFor();
    client.send('during the pause');
    const { id } = await dashboard.rig.waitForSession((each) => each.url.endsWith('/paused') && each.frameCount === 2);
    expect(await row('during the pause').count()).toBe(0);
    expect(await dashboard.rig.frames(id)).toHaveLength(2);
    await page.keyboard.press('p');
    await row('during the pause').waitFor();
  });

  test('says loudly that recording is stopped', async () => {
    await page.getByRole('button', { name: 'capturing' }).click();
    await page.getByRole('alert').filter({ hasText: 'Recording is stopped' }).waitFor();
    await page.getByRole('button', { name: 'Record again' }).click();
    await page.getByRole('button', { name: 'capturing' }).waitFor();
  });

  test('counts what the export counts', async () => {
    await session('/pouring').click();
    const { id } = await dashboard.rig.waitForSession((each) => each.url.endsWith('/pouring'));
    const response = await dashboard.rig.fetch(`/api/export?format=json&session=${id}`);
    const capture = (await response.json()) as {
      sessions: { frames: { payloadLength: number; direction: string }[] }[];
    };
    const frames = capture.sessions[0]?.frames ?? [];
    const bytes = frames.reduce((sum, frame) => sum + frame.payloadLength, 0);
    await tab('Statistics').click();
    const numbers = page.getByRole('region', { name: 'Statistics' }).locator('tr', { hasText: 'Frames' }).first();
    await expect.poll(() => numbers.textContent()).toContain(frames.length.toLocaleString('en-US'));
    const payload = page.getByRole('region', { name: 'Statistics' }).locator('tr', { hasText: 'Payload' });
    expect(await payload.first().textContent()).toContain(`${(bytes / 1000).toFixed(1)} kB`);
    await tab('Frames').click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.keyboard.press('e').then(() => page.getByRole('menuitem', { name: 'This session as JSON' }).click()),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.json$/);
  });

  test('is usable by everyone: axe finds nothing wrong in any view, light or dark', async () => {
    await session('/chat').click();
    await row('"op":"hello"').click();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const detail of ['Text', 'JSON', 'Decoded', 'Hex', 'Bits']) {
        await page.getByRole('tablist', { name: 'Ways to show it' }).getByRole('tab', { name: detail }).click();
        expect(await accessibilityFaults(page), `${detail}, ${colorScheme}`).toEqual([]);
      }
      for (const name of ['Messages', 'Handshake', 'Timing', 'Heartbeat', 'Statistics', 'Close', 'Frames']) {
        await tab(name).click();
        await page.locator('.loading').waitFor({ state: 'detached' });
        expect(await accessibilityFaults(page), `${name}, ${colorScheme}`).toEqual([]);
      }
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
  }, 120_000);

  test('clears everything after it has asked', async () => {
    await page.getByRole('button', { name: 'Clear', exact: true }).click();
    await page.getByRole('button', { name: 'Clear everything' }).click();
    await session('/closing').waitFor({ state: 'detached' });
  });

  test('never complained: no console error, no script error, no request to another host', () => {
    expect(dashboard.complaints.filter((each) => !each.includes('status of 400'))).toEqual([]);
  });
});
