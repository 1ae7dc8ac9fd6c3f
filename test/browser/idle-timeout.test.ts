import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import type { SessionDetail } from '../../src/contract/session.ts';
import { accessibilityFaults, type DashboardPage, openDashboard, type Pair } from './dashboard-page.ts';

let dashboard: DashboardPage;
let page: Page;

/** What is exported of a session, as far as its times go. */
interface Exported {
  readonly id: string;
  readonly openedAt: string;
  readonly silence: SessionDetail['silence'];
  readonly frames: readonly {
    readonly index: number;
    readonly time: string;
    readonly opcode: number;
    readonly direction: string;
    readonly payload: { readonly data: string } | null;
  }[];
}

const tab = (name: string) => page.getByRole('tablist', { name: 'Views of the session' }).getByRole('tab', { name });
const session = (path: string) => page.getByRole('option').filter({ hasText: path });
const heartbeat = () => page.getByRole('region', { name: 'Heartbeat', exact: true });
const evidence = (what: string) => page.getByRole('group', { name: `Sessions: ${what}` }).getByRole('button');

async function say(from: WebSocket, to: WebSocket, data: string): Promise<void> {
  const came = once(to, 'message');
  from.send(data);
  await came;
}
async function ping(from: WebSocket): Promise<void> {
  const came = once(from, 'pong');
  from.ping(`${Math.random()}`);
  await came;
}
async function ended({ client }: Pair, end: () => void): Promise<void> {
  const closed = once(client, 'close');
  end();
  await closed;
}

async function exported(path: string): Promise<Exported[]> {
  const answer = await dashboard.rig.fetch(`/api/export?format=json&filter=url:${encodeURIComponent(path)}`);
  return ((await answer.json()) as { sessions: Exported[] }).sessions;
}
const toMs = (time = ''): number => Date.parse(time) + Number(time.slice(-4, -1)) / 1000;
/** Silences from the opening on, by the times of the frames alone: those survived, and the one before the close frame. */
function silencesOf({ openedAt, frames }: Exported): { readonly survivedMs: number; readonly lastMs: number } {
  const times = [openedAt, ...frames.filter(({ opcode }) => opcode !== 8).map(({ time }) => time)].map(toMs);
  const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
  const closing = frames.find(({ opcode }) => opcode === 8);
  return { survivedMs: Math.max(0, ...gaps), lastMs: toMs(closing?.time) - (times.at(-1) ?? 0) };
}
const seconds = (ms: number): string => (ms / 1000).toFixed(ms < 10_000 ? 2 : 1);

/** A number of the view with its unit, in milliseconds, and half of its last digit: plus what a double keeps of a date. */
function readMs(text = ''): { readonly ms: number; readonly within: number } {
  const [, number = '', unit = ''] = /^([\d.]+) (ms|s)$/.exec(text) ?? [];
  const unitMs = unit === 's' ? 1000 : 1;
  const digits = number.split('.')[1]?.length ?? 0;
  return { ms: Number(number) * unitMs, within: (0.5 / 10 ** digits) * unitMs + 0.0005 };
}
function expectShown(text: string | undefined, ms: number | undefined): void {
  const shown = readMs(text);
  expect(Math.abs(shown.ms - (ms ?? Number.NaN)), `${text} is ${ms} ms`).toBeLessThanOrEqual(shown.within);
}

beforeAll(async () => {
  dashboard = await openDashboard();
  ({ page } = dashboard);
  const { rig } = dashboard;
  const pairs: Pair[] = [];
  for (const n of [1, 2, 3, 4]) pairs.push(await dashboard.connect(`/quiet?n=${n}`));
  const [first, second, third, fourth] = pairs as [Pair, Pair, Pair, Pair];
  for (const { client, server } of pairs) await say(client, server, 'hello');
  rig.skip(45_000);
  for (const { client, server } of pairs) await say(server, client, 'and hello');
  // One talks on, and so outlives the others.
  rig.skip(59_900);
  await say(fourth.client, fourth.server, 'still here');
  rig.skip(200);
  await ended(first, () => first.server.close(1001, 'idle'));
  await ended(second, () => second.server.close(1001, 'idle'));
  await ended(third, () => (third.server as unknown as { readonly _socket: Socket })._socket.resetAndDestroy());
  await ended(fourth, () => fourth.client.close(1000));
  const beating = await dashboard.connect('/beating');
  for (let beat = 0; beat < 6; beat += 1) {
    rig.skip(25_000);
    await ping(beating.server);
  }
  rig.skip(1_000);
  beating.client.pause();
  beating.server.ping('never answered');
  beating.server.ping('nor this');
});
afterAll(async () => {
  await dashboard.close();
});

describe('an idle timeout', () => {
  test('is told in the Heartbeat tab of an open session of the same origin, while the list shows others', async () => {
    await page.getByRole('combobox', { name: 'Filter' }).fill('url:/beating');
    await session('/quiet?n=1').waitFor({ state: 'detached' });
    await session('/beating').click();
    await tab('Heartbeat').click();
    await heartbeat().getByText("An idle timeout of about 60 s at the server's side.").waitFor();
    await heartbeat().getByText('often enough').waitFor();
    await expect.poll(() => evidence('ended alike').count()).toBe(3);
  });

  test('stands on numbers that are those of the export, every one of them', async () => {
    const quiet = await exported('/quiet');
    const [beating] = await exported('/beating');
    if (beating === undefined) throw new Error('the session is gone');
    const known = new Map(quiet.map((one) => [one.id, silencesOf(one)]));
    // A reset has no frame whose time could be taken: there the API's own number is what there is.
    for (const { id, silence } of quiet) {
      const { survivedMs, lastMs } = known.get(id) ?? {};
      expect(silence?.survivedMs).toBeCloseTo(survivedMs ?? 0, 2);
      if (!Number.isNaN(lastMs)) expect(silence?.beforeEndMs).toBeCloseTo(lastMs ?? 0, 2);
    }
    const ends = quiet
      .filter(({ silence }) => (silence?.beforeEndMs ?? 0) > 10_000)
      .map(({ silence }) => silence?.beforeEndMs ?? 0);
    const survived = (one: Exported): number => silencesOf(one).survivedMs;
    const survivedMs = Math.max(...[...quiet, beating].map(survived));
    const range = [...new Set([Math.min(...ends), Math.max(...ends)].map(seconds))].join(' to ');
    const origin = new URL((await dashboard.rig.sessions())[0]?.url ?? '').origin;
    await heartbeat()
      .getByText(
        `3 of the 4 ended sessions to ${origin} ended after ${range} s of silence, the longest of their lives: ` +
          "2 by a close 1001 from the server, 1 by a reset from the server's side. " +
          `The longest silence survived is ${seconds(survivedMs)} s.`,
      )
      .waitFor();
    const buttons = await evidence('ended alike').allTextContents();
    const wanted = quiet.flatMap(({ id, silence }) =>
      (silence?.beforeEndMs ?? 0) > 10_000 ? [`session ${id} · ${seconds(silence?.beforeEndMs ?? 0)} s`] : [],
    );
    expect(buttons.sort()).toEqual(wanted.sort());
    await heartbeat()
      .getByText(new RegExp(`longest silence (of this session so far|before that) was ${seconds(survived(beating))} s`))
      .waitFor();

    const pings = beating.frames.filter(({ opcode }) => opcode === 9);
    const pongs = beating.frames.filter(({ opcode }) => opcode === 10);
    const rtts = pings
      .flatMap(({ time, payload }) => {
        const pong = pongs.find((one) => one.payload?.data === payload?.data);
        return pong === undefined ? [] : [toMs(pong.time) - toMs(time)];
      })
      .sort((a, b) => a - b);
    const gaps = pings
      .slice(1)
      .map(({ time }, at) => toMs(time) - toMs(pings[at]?.time))
      .sort((a, b) => a - b);
    const rank = (values: readonly number[], share: number): number | undefined =>
      values[Math.ceil(values.length * share) - 1];
    const row = heartbeat().getByRole('row', { name: 'ping frames of the server' });
    const cells = await row.getByRole('cell').allTextContents();
    expect(cells.slice(0, 3)).toEqual([`${pings.length}`, `${rtts.length}`, '1']);
    [0.5, 0.9, 0.99, 1].forEach((share, at) => expectShown(cells[3 + at], rank(rtts, share)));
    expectShown(cells[7], rank(gaps, 0.5));
    await heartbeat()
      .getByText(`Every ${seconds(rank(gaps, 0.5) ?? 0)} s there are ping frames of the server`)
      .waitFor();
    const missed = heartbeat().getByRole('region', { name: 'Without an answer' }).getByRole('button');
    expect(await missed.allTextContents()).toEqual([`frame ${pings.at(-2)?.index}`]);
  });

  test('leads to the sessions that show it, and these say in their Close tab that they are part of it', async () => {
    await evidence('ended alike').first().click();
    await expect.poll(() => heartbeat().locator('.idle-evidence [aria-current=true]').count()).toBe(1);
    await tab('Close').click();
    const close = page.getByRole('region', { name: 'Close', exact: true });
    await close
      .getByText("An idle timeout of about 60 s at the server's side. This session ended like 2 others.")
      .waitFor();
    await close.getByRole('button', { name: 'See why' }).click();
    await heartbeat().waitFor();
  });

  test('is read by everyone: axe finds nothing wrong, light or dark, and nothing complained', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const name of ['Heartbeat', 'Close']) {
        await tab(name).click();
        await page.locator('.loading').waitFor({ state: 'detached' });
        expect(await accessibilityFaults(page), `${name}, ${colorScheme}`).toEqual([]);
      }
    }
    expect(dashboard.complaints).toEqual([]);
  });
});
