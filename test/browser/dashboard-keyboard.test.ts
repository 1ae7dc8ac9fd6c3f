import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DashboardPage, openDashboard } from './dashboard-page.ts';

let dashboard: DashboardPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard();
  ({ page } = dashboard);
  const { client, server } = await dashboard.connect('/keys');
  client.send('{"type":"question","id":1}');
  server.send('{"type":"answer","id":1}');
  client.ping('beat');
  await page.getByRole('row').filter({ hasText: 'question' }).click();
  await page.getByRole('region', { name: 'Detail' }).getByText('question').first().waitFor();
});
afterAll(async () => {
  await dashboard.close();
});

interface Stop {
  readonly role: string;
  readonly name: string;
  /** It looks otherwise than without the focus. */
  readonly seen: boolean;
}

/** What has the focus, as a screen reader is told of it and as it is painted; null: the page has been left. */
async function focused(): Promise<Stop | null> {
  if (await page.evaluate(() => document.activeElement === document.body)) return null;
  const session = await page.context().newCDPSession(page);
  const { result } = await session.send('Runtime.evaluate', { expression: 'document.activeElement' });
  const objectId = result.objectId ?? '';
  const { nodes } = await session.send('Accessibility.getPartialAXTree', { objectId, fetchRelatives: false });
  await session.detach();
  return {
    role: String(nodes[0]?.role?.value),
    name: String(nodes[0]?.name?.value ?? ''),
    seen: (await showsFocus()) || (await looksFocused()),
  };
}

/** By the styles of the element and of what is around it, with the focus and without. */
const showsFocus = (): Promise<boolean> =>
  page.evaluate(() => {
    const look = (node: Element): string => {
      const { outlineStyle, outlineWidth, boxShadow, backgroundColor, borderColor } = getComputedStyle(node);
      return [outlineStyle === 'none' ? '' : outlineWidth, boxShadow, backgroundColor, borderColor].join();
    };
    const node = document.activeElement as HTMLElement;
    const around = (): string => [node, node.parentElement ?? node].map(look).join();
    const before = around();
    node.blur();
    const after = around();
    node.focus();
    return before !== after;
  });

/** By its picture: a slider paints the focus on its thumb. */
async function looksFocused(): Promise<boolean> {
  const slider = page.locator(':focus');
  const before = await slider.screenshot();
  const element = await slider.elementHandle();
  await element?.evaluate((node) => (node as HTMLElement).blur());
  const after = await element?.screenshot();
  await element?.focus();
  return after === undefined || !before.equals(after);
}

/** Goes once around the page by Tab. */
async function walk(): Promise<Stop[]> {
  const stops: Stop[] = [];
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  // To the end, and from there on from the beginning.
  for (let presses = 0, ends = 0; ends < 2; presses += 1) {
    expect(presses).toBeLessThan(200);
    await page.keyboard.press('Tab');
    const stop = await focused();
    if (stop === null) ends += 1;
    else if (ends === 1) stops.push(stop);
  }
  return stops;
}

const faults = (stops: readonly Stop[]): Stop[] => stops.filter(({ name, seen }) => name === '' || !seen);

const SHELL = [
  ...['capturing', 'Filter', 'Pause view', 'Clear', 'Export', 'Colours: system. Switch to light', 'Keyboard shortcuts'],
  ...['Sessions', 'Width of the session list', 'Copy the URL', 'Delete this session'],
];
const FRAMES = [
  ...['Frames', 'All', '↑ to server', '↓ to client', 'All', 'data', 'control', 'Find in this session', 'follow'],
  ...['Frames', 'Height of the detail', 'Text', 'mark', 'copy', 'copy as', 'save', 'Close the detail', 'Text', 'wrap'],
];

describe('by Tab', () => {
  test('everything of the frames and their detail is reached, has a name, and shows that it has the focus', async () => {
    const stops = await walk();
    expect(stops.map(({ name }) => name)).toEqual([...SHELL, ...FRAMES]);
    expect(faults(stops)).toEqual([]);
  });

  test.each([
    ['Messages', ['All', '↑ to server', '↓ to client', 'Find in this session', 'follow', 'Messages']],
    ['Handshake', ['Handshake']],
    ['Timing', ['Timing', 'From this time', 'To this time']],
    ['Heartbeat', ['Heartbeat', expect.stringContaining('session 1')]],
    ['Statistics', ['Statistics']],
    ['Close', ['Close']],
  ])('so is that of %s', async (name, own) => {
    await page.getByRole('tablist', { name: 'Views of the session' }).getByRole('tab', { name }).click();
    await page.locator('.loading').waitFor({ state: 'detached' });
    await page.getByRole('tabpanel', { name }).getByText(/\w/).first().waitFor();
    const stops = await walk();
    expect(stops.map((stop) => stop.name)).toEqual([...SHELL, name, ...own]);
    expect(faults(stops)).toEqual([]);
  });
});
