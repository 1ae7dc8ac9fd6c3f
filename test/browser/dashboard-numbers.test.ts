import type { Socket } from 'node:net';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import type { FrameRow } from '../../src/contract/frame.ts';
import type { MessageRow } from '../../src/contract/message.ts';
import type { SessionDetail } from '../../src/contract/session.ts';
import { opcodeName } from '../../src/contract/frame.ts';
import { readCapture } from '../helpers/exported-capture.ts';
import { formatClock, formatFullTime } from '../../web/src/format/clock.ts';
import { formatBytes, formatCount, formatCounted, formatMs, formatRate } from '../../web/src/format/numbers.ts';
import { type DashboardPage, openDashboard } from './dashboard-page.ts';

type Session = SessionDetail & { readonly frames: readonly FrameRow[]; readonly messages: readonly MessageRow[] };

let dashboard: DashboardPage;
let page: Page;
let sessions: readonly Session[];
let talk: Session;

beforeAll(async () => {
  dashboard = await openDashboard({ deflate: true });
  ({ page } = dashboard);
  const { client, server } = await dashboard.connect('/talk');
  for (let n = 0; n < 40; n += 1) {
    client.send(JSON.stringify({ n, text: 'abc '.repeat(n * 3) }));
    server.send(Buffer.alloc(n * 37, n));
    if (n % 5 === 0) server.ping(`beat ${n}`);
    if (n % 8 === 0) {
      server.send('one message ', { fin: false });
      server.send('in two frames', { fin: true });
    }
  }
  // What `ws` would not send: a frame with a reserved opcode, past it. The client fails the connection.
  const { server: broken, client: offended } = await dashboard.connect('/broken');
  tcpOf(broken).write(Buffer.from([0x83, 0x02, 1, 2]));
  await expect(dashboard.connect('/forbidden')).rejects.toThrow();
  await dashboard.rig.waitForSession(({ url, frameCount }) => url.endsWith('/talk') && frameCount >= 106);
  server.close(4321, 'enough');
  offended.terminate();
  await dashboard.rig.waitForSession(({ url, state }) => url.endsWith('/talk') && state === 'closed');
  await dashboard.rig.waitForSession(({ url, state }) => url.endsWith('/broken') && state === 'closed');
  const response = await dashboard.rig.fetch('/api/export?format=json');
  sessions = readCapture(await response.text()).sessions as unknown as readonly Session[];
  talk = sessions.find(({ url }) => url.endsWith('/talk')) as Session;
  await option('/talk').click();
});
afterAll(async () => {
  await dashboard.close();
});

const tcpOf = (socket: WebSocket): Socket => (socket as WebSocket & { readonly _socket: Socket })._socket;
const option = (path: string): Locator => page.getByRole('option').filter({ hasText: path });
const tab = (name: string) => page.getByRole('tablist', { name: 'Views of the session' }).getByRole('tab', { name });
const cells = (row: Locator): Promise<string[]> => row.locator('[role=gridcell], td').allTextContents();
const up = ({ direction }: { readonly direction: string }): boolean => direction === 'client-to-server';
const bytesOf = (frames: readonly FrameRow[]): number => frames.reduce((sum, frame) => sum + frame.payloadLength, 0);
const micros = (time: string): number => Date.parse(`${time.slice(0, 23)}Z`) * 1000 + Number(time.slice(23, 26));

describe('what the dashboard counts is what the export has', () => {
  test('in the bar at the top', async () => {
    const totals = page.locator('.totals');
    const frames = sessions.reduce((sum, session) => sum + session.frames.length, 0);
    await expect.poll(() => totals.textContent()).toContain(`${formatCount(frames)} frames`);
    expect(await totals.textContent()).toContain(`${sessions.length} sessions`);
  });

  test('in the list of sessions: frames, status, violations, how it ended', async () => {
    await expect.poll(() => page.getByRole('option').count()).toBe(sessions.length);
    for (const session of sessions) {
      const row = option(new URL(session.url).pathname);
      const count =
        session.state === 'failed' ? String(session.status) : `${formatCount(session.frames.length)} frames`;
      expect(await row.locator('.session-count').textContent(), session.url).toBe(count);
      const violations = session.frames.reduce((sum, frame) => sum + frame.violations.length, 0);
      const shown = await row.locator('.session-marks .error').allTextContents();
      expect(shown.map((text) => parseInt(text, 10))).toEqual(violations === 0 ? [] : [violations]);
      const code = session.close === null ? '' : String(session.close.code ?? 1006);
      expect(await row.locator('.session-meta').textContent()).toContain(code);
    }
    expect(sessions.some(({ frames }) => frames.some(({ violations }) => violations.length > 0))).toBe(true);
  });

  test('at the head of a session: frames and bytes each way', async () => {
    for (const [side, frames] of [
      ['Client to server', talk.frames.filter(up)],
      ['Server to client', talk.frames.filter((frame) => !up(frame))],
    ] as const) {
      const text = await page.getByTitle(`${side}: frames, payload bytes`).textContent();
      expect(text?.trim()).toBe(`${formatCount(frames.length)} · ${formatBytes(bytesOf(frames))}`);
    }
    const first = talk.messages.slice(0, 100);
    const plain = first.reduce((sum, message) => sum + (message.payloadLength ?? 0), 0);
    const wire = first.reduce((sum, message) => sum + message.wireLength, 0);
    await page.getByText(`deflate ${(plain / wire).toFixed(1)}×`, { exact: true }).waitFor();
  });

  test('at its violations: by whom, how often, and where', async () => {
    const broken = sessions.find(({ url }) => url.endsWith('/broken'));
    await option('/broken').click();
    await page.getByRole('button', { name: `${broken?.violationCount} violation` }).click();
    const list = page.getByRole('dialog', { name: 'Violations of the protocol' }).getByRole('listitem');
    await expect.poll(() => list.count()).toBe(broken?.violations.length);
    for (const [at, { code, by, count, firstFrame }] of (broken?.violations ?? []).entries()) {
      const text = await list.nth(at).textContent();
      expect(text).toContain(code);
      expect(text).toContain(`by the ${by}, ${count === 1 ? 'once' : `${count} times`} first in frame ${firstFrame}`);
      const where = broken?.frames.filter(({ violations }) => (violations as readonly string[]).includes(code));
      expect([where?.length, where?.[0]?.index]).toEqual([count, firstFrame]);
    }
    await list.first().getByRole('button').click();
    await page.locator(`#frame-${broken?.violations[0]?.firstFrame}[aria-selected=true]`).waitFor();
    await option('/talk').click();
  });

  test('in each row of the frames, and above its detail', async () => {
    const grid = page.getByRole('grid', { name: 'Frames' });
    await expect.poll(() => grid.getAttribute('aria-rowcount')).toBe(String(talk.frames.length + 1));
    await grid.press('Home');
    for (const frame of talk.frames) {
      const row = page.locator(`#frame-${frame.index}[aria-selected=true]:not(.missing)`);
      await row.waitFor();
      const [number, time, direction, type, length] = await cells(row);
      expect([number, time, length]).toEqual([
        formatCount(frame.index),
        formatClock(micros(frame.time)),
        formatCount(frame.payloadLength),
      ]);
      expect(direction).toContain(up(frame) ? '↑' : '↓');
      expect(type).toContain(opcodeName(frame.opcode));
      await page
        .getByText(`${formatCounted(frame.payloadLength, 'byte')} · ${formatClock(micros(frame.time))}`)
        .waitFor();
      await page.keyboard.press('j');
    }
  });

  test('in each row of the messages: length, frames and ratio', async () => {
    await tab('Messages').click();
    const grid = page.locator(`[aria-label=Messages][aria-rowcount="${talk.messages.length + 1}"]`);
    await grid.press('Home');
    for (const message of talk.messages) {
      const row = page.locator(`#message-${message.index}[aria-selected=true]:not(.missing)`);
      await row.waitFor();
      const length = message.payloadLength ?? NaN;
      const [number, time, , type, shown, frames, ratio] = await cells(row);
      expect([number, time, type, shown, frames]).toEqual([
        formatCount(message.index),
        formatClock(micros(message.time)),
        message.type,
        formatCount(length),
        formatCount(message.frameCount),
      ]);
      expect(ratio).toBe(message.wireLength > 0 ? `${(length / message.wireLength).toFixed(1)}×` : '');
      await page.keyboard.press('j');
    }
    expect(talk.messages.every(({ compressed }) => compressed)).toBe(true);
  });

  test('in the statistics: counts, sizes, rates, opcodes, compression', async () => {
    await tab('Statistics').click();
    const region = page.getByRole('region', { name: 'Statistics' });
    const sides = [talk.frames.filter(up), talk.frames.filter((frame) => !up(frame)), talk.frames];
    const times = talk.frames.map(({ time }) => micros(time));
    const spanMs = (Math.max(...times) - Math.min(...times)) / 1000;
    const row = (name: string): Promise<string[]> =>
      cells(region.locator('table.facts tr').filter({ has: page.getByRole('rowheader', { name, exact: true }) }));
    await expect.poll(() => row('Frames')).toEqual(sides.map((frames) => formatCount(frames.length)));
    expect(await row('Payload')).toEqual(sides.map((frames) => formatBytes(bytesOf(frames))));
    expect(await row('Frames a second')).toEqual(sides.map((frames) => formatRate((frames.length / spanMs) * 1000)));
    expect(await row('Payload a second')).toEqual(
      sides.map((frames) => formatBytes(Math.round((bytesOf(frames) / spanMs) * 1000))),
    );
    expect(await row('Mean length')).toEqual(
      sides.map((frames) => formatBytes(Math.round(bytesOf(frames) / frames.length))),
    );
    expect(await row('Longest')).toEqual(
      sides.map((frames) => formatBytes(Math.max(...frames.map(({ payloadLength }) => payloadLength)))),
    );
    await region.getByText(`From the first to the last frame: ${formatMs(spanMs)}.`).waitFor();
    const plain = talk.messages.reduce((sum, message) => sum + (message.payloadLength ?? 0), 0);
    const wire = talk.messages.reduce((sum, message) => sum + message.wireLength, 0);
    await region
      .getByText(`${(plain / wire).toFixed(1)}×, ${formatBytes(plain)} went as ${formatBytes(wire)}`)
      .waitFor();

    const bars = await region
      .locator('table.bars tbody tr')
      .evaluateAll((rows) => rows.map((each) => [...each.children].map((cell) => cell.textContent?.trim())));
    const countOf = (frames: readonly FrameRow[], found: (frame: FrameRow) => boolean): string =>
      formatCount(frames.filter(found).length);
    const opcodes = [...new Set(talk.frames.map(({ opcode }) => opcode))].sort((a, b) => a - b);
    const classes = talk.frames.map(({ payloadLength }) => (payloadLength === 0 ? 0 : 32 - Math.clz32(payloadLength)));
    const lengths = Array.from({ length: Math.max(...classes) + 1 }, (_, at) => at).slice(Math.min(...classes));
    expect(bars.map(([, ...counts]) => counts)).toEqual([
      ...opcodes.map((code) => [
        `↑ ${countOf(sides[0] ?? [], ({ opcode }) => opcode === code)}`,
        `↓ ${countOf(sides[1] ?? [], ({ opcode }) => opcode === code)}`,
      ]),
      ...lengths.map((bits) => {
        const fits = ({ payloadLength }: FrameRow): boolean =>
          bits === 0 ? payloadLength === 0 : payloadLength >= 2 ** (bits - 1) && payloadLength < 2 ** bits;
        return [`↑ ${countOf(sides[0] ?? [], fits)}`, `↓ ${countOf(sides[1] ?? [], fits)}`];
      }),
    ]);
  });

  test('in the timing, and in how it was closed', async () => {
    await tab('Timing').click();
    const { dns, connect, tls, upgrade, firstFrame } = talk.timingsMs;
    const steps = page.locator('.waterfall td.number');
    await expect
      .poll(() => steps.allTextContents())
      .toEqual([dns, connect, tls, upgrade, firstFrame].map((ms) => (ms === null ? '–' : formatMs(ms))));
    await page.getByText(`began ${formatFullTime(micros(talk.startedAt))}`).waitFor();
    await tab('Close').click();
    const region = page.getByRole('region', { name: 'Close' });
    const { close } = talk;
    expect(await region.locator('.close-code').textContent()).toBe(String(close?.code));
    await region.getByText(`the other close frame came after ${formatMs(close?.echoMs ?? NaN)}`).waitFor();
    await region.getByText(formatFullTime(micros(talk.closedAt ?? ''))).waitFor();
    for (const frame of [close?.clientFrame, close?.serverFrame]) {
      await region
        .getByRole('button', { name: `frame ${formatCount(frame?.frameIndex ?? NaN)}`, exact: true })
        .waitFor();
    }
  });
});
