import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { type DashboardPage, openDashboard } from './dashboard-page.ts';

const TEXT = `it's "quoted" $(touch x)\n</script> \u2028 é`;
const BYTES = Buffer.from([0, 255, 10, 39, 37, 92, 128]);
/** What curl and Playwright would read as a pattern, or resolve. */
const TARGET = '/a/../copied*?filter[a]=1&b={1,2}';
let dashboard: DashboardPage;
let page: Page;
const children: ChildProcess[] = [];

beforeAll(async () => {
  dashboard = await openDashboard();
  ({ page } = dashboard);
  const { client, server } = await dashboard.connect(TARGET, {
    protocols: ['copy.v1'],
    headers: { 'X-Note': "it's mine", 'X-Empty': '' },
    asIs: true,
  });
  await page.getByRole('option').first().click();
  client.send(TEXT);
  await dashboard.rig.waitForSession(({ frameCount }) => frameCount === 1);
  client.send(BYTES);
  await dashboard.rig.waitForSession(({ frameCount }) => frameCount === 2);
  server.send('the answer');
  await page.getByRole('row').filter({ hasText: 'the answer' }).waitFor();
});
afterAll(async () => {
  for (const child of children) child.kill();
  await dashboard.close();
});

const select = (index: number): Promise<void> => page.locator(`#frame-${index}`).click();
const clipboard = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());

/** Chooses it from the menu, and reads what is in the clipboard then. */
async function copied(name: string): Promise<string> {
  await page.evaluate(() => navigator.clipboard.writeText('nothing'));
  await page.getByRole('button', { name: 'copy as' }).click();
  await page.getByRole('menuitem', { name }).click();
  await expect.poll(clipboard).not.toBe('nothing');
  return clipboard();
}

interface Visitor {
  readonly socket: WebSocket;
  readonly target: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly first: Promise<[data: Buffer, isBinary: boolean]>;
}

/** The next connection to the server, which is not the proxy's, and its first message. */
async function nextVisitor(): Promise<Visitor> {
  const [socket, { url: target, headers }] = (await once(dashboard.upstream, 'connection')) as [
    WebSocket,
    IncomingMessage,
  ];
  return { socket, target, headers, first: once(socket, 'message') as Promise<[Buffer, boolean]> };
}

function run(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { cwd: join(import.meta.dirname, '..', '..') });
  children.push(child);
  return child;
}

describe('copy as', () => {
  test('text, hex, Base64 and JSON are what the export has', async () => {
    await select(0);
    expect(await copied('Text')).toBe(TEXT);
    expect(await copied('Hex')).toBe(
      [...Buffer.from(TEXT)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    );
    expect(await copied('Base64')).toBe(Buffer.from(TEXT).toString('base64'));
    await select(1);
    const response = await dashboard.rig.fetch('/api/export?format=json&session=1');
    const exported = (await response.json()) as { sessions: { frames: object[] }[] };
    expect(JSON.parse(await copied('JSON, with'))).toEqual(exported.sessions[0]?.frames[1]);
  });

  test('“copy” takes text as text, and what is none as hex', async () => {
    await select(0);
    await page.getByRole('button', { name: 'copy', exact: true }).click();
    await expect.poll(clipboard).toBe(TEXT);
    await select(1);
    await page.getByRole('button', { name: 'copy', exact: true }).click();
    await expect.poll(clipboard).toBe('00 ff 0a 27 25 5c 80');
  });

  test('“save” writes the bytes', async () => {
    await select(1);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'save' }).click(),
    ]);
    expect(await readFile(await download.path())).toEqual(BYTES);
  });

  test("curl's command opens the WebSocket as the client did", async () => {
    await select(0);
    const command = await copied('curl command');
    const visitor = nextVisitor();
    const curl = run('sh', ['-c', command]);
    const { socket, target, headers } = await visitor;
    expect(target).toBe(TARGET);
    expect(headers).toMatchObject({
      'x-note': "it's mine",
      'x-empty': '',
      'sec-websocket-protocol': 'copy.v1',
    });
    // It shows the answer once something has come after it.
    socket.send('hello');
    const [answer] = (await once(curl.stdout ?? curl, 'data')) as [Buffer];
    expect(answer.toString()).toContain('101 Switching Protocols');
  });

  test('the snippet with ws sends what was captured, text and binary', async () => {
    for (const [index, payload] of [
      [0, Buffer.from(TEXT)],
      [1, BYTES],
    ] as const) {
      await select(index);
      const script = await copied('Node snippet');
      const visitor = nextVisitor();
      run(process.execPath, ['--input-type=module', '--eval', script]);
      const { headers, first } = await visitor;
      const [data, isBinary] = await first;
      expect([data, isBinary]).toEqual([payload, index === 1]);
      expect(headers).toMatchObject({ 'x-note': "it's mine", 'sec-websocket-protocol': 'copy.v1' });
    }
  });

  test('the snippet for Playwright says it to the server, or answers in its place', async () => {
    const scripts: string[] = [];
    for (const index of [0, 2]) {
      await select(index);
      scripts.push(await copied('Playwright'));
    }
    const [say = '', answer = ''] = scripts;
    const visitor = nextVisitor();
    const talking = await pageWith(say);
    connect(talking).catch(() => undefined);
    const [data] = await (await visitor).first;
    expect(data.toString()).toBe(TEXT);
    expect(await connect(await pageWith(answer))).toBe('the answer');
  });
});

/** A page for which a script with Playwright has run. */
async function pageWith(script: string): Promise<Page> {
  const made = await dashboard.context.newPage();
  const { origin } = new URL((await dashboard.rig.session('1')).url.replace('ws:', 'http:'));
  await (compileFunction(`return (async () => {${script}})()`, ['page']) as (page: Page) => Promise<void>)(made);
  // The server's "426 Upgrade Required" is a page of this machine, and so may call it.
  await made.goto(`${origin}/`);
  return made;
}

/** Opens the captured URL in a page, says hello, and resolves with what comes back first. */
async function connect(from: Page): Promise<unknown> {
  const { url } = await dashboard.rig.session('1');
  return from.evaluate(
    (address) =>
      new Promise((resolve) => {
        const socket = new globalThis.WebSocket(address, 'copy.v1');
        socket.onopen = () => socket.send('hello');
        socket.onmessage = (event) => resolve(event.data);
        socket.onclose = () => resolve(null);
      }),
    url,
  );
}
