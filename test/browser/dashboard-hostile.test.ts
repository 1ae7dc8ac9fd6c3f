import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { type DashboardPage, openDashboard } from './dashboard-page.ts';

const MARKUP = [
  '<script>window.pwned=1</script>',
  '<img src=x onerror="window.pwned=1">',
  '<svg/onload=window.pwned=1>',
  '"><iframe src="javascript:window.pwned=1">',
  '<style>*{display:none}</style>',
  '<link rel=stylesheet href=http://evil.example/x.css>',
  '<img src="http://evil.example/pixel.png">',
  'javascript:window.pwned=1',
  '</textarea></title></style></script><script>window.pwned=1</script>',
  '{{constructor.constructor("window.pwned=1")()}}',
  '<math><mtext></table><mglyph><style><img src onerror=window.pwned=1>',
  '\u202e\u2066<b>turned round</b>\u2069\u202c',
  '\u0000\u0001\u001b[31mred\u001b[0m\u0007\u0008\u007f',
  '\u2028\u2029\ufeff\u200b\u200d\u00ad',
  'a\u0300'.repeat(400),
  'ﷺ'.repeat(300),
  '\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67'.repeat(50),
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
  `{"a":`.repeat(3000),
];

/** 500 of them: each of the above, alone, in JSON, as a name, cut, doubled, and as bytes that are no UTF-8. */
function hostilePayloads(): (string | Buffer)[] {
  const payloads: (string | Buffer)[] = [];
  for (let n = 0; payloads.length < 500; n += 1) {
    const markup = MARKUP[n % MARKUP.length] ?? '';
    switch (Math.floor(n / MARKUP.length) % 6) {
      case 0:
        payloads.push(markup);
        break;
      case 1:
        payloads.push(JSON.stringify({ value: markup, n }));
        break;
      case 2:
        payloads.push(JSON.stringify({ [markup.slice(0, 200)]: { [markup.slice(0, 50)]: n } }));
        break;
      case 3:
        payloads.push(Buffer.from(`${markup}\xff\xfe\xed\xa0\x80`, 'latin1'));
        break;
      case 4:
        payloads.push(Buffer.from(markup, 'utf16le'));
        break;
      default:
        payloads.push(markup.repeat(3).slice(n % 7));
    }
  }
  return payloads;
}

let dashboard: DashboardPage;
let page: Page;
let client: WebSocket;

beforeAll(async () => {
  dashboard = await openDashboard();
  ({ page } = dashboard);
  ({ client } = await dashboard.connect(`/<img src=x onerror=window.pwned=1>?q="'><script>window.pwned=1</script>`, {
    protocols: ['x-odd.protocol'],
    headers: {
      'X-Markup': '<img src=x onerror=window.pwned=1>',
      'User-Agent': '</pre><script>window.pwned=1</script>',
    },
  }));
  await page.getByRole('option').first().click();
});
afterAll(async () => {
  await dashboard.close();
});

const isResponsive = async (): Promise<void> => {
  const started = performance.now();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0))));
  expect(performance.now() - started).toBeLessThan(2000);
};
const show = async (name: string): Promise<void> => {
  await page.getByRole('tablist', { name: 'Ways to show it' }).getByRole('tab', { name }).click();
};

describe('content that means harm', () => {
  test('500 payloads are shown in every way, as text and nothing else', async () => {
    const payloads = hostilePayloads();
    for (const payload of payloads) client.send(payload);
    await dashboard.rig.waitForSession((session) => session.frameCount >= 500);
    const grid = page.getByRole('grid', { name: 'Frames' });
    await page.locator('[role=grid][aria-label=Frames][aria-rowcount="501"]').waitFor();
    await grid.press('Home');
    await page.keyboard.press('j');
    for (const view of ['Text', 'JSON', 'Hex', 'Bits']) {
      await grid.press('Home');
      await show(view);
      await grid.focus();
      // Each one as text; of the other views, which show the same bytes in their own way, every 17th or so.
      for (let at = 0; at < (view === 'Text' ? 500 : 30); at += 1) {
        await page.keyboard.press(view === 'Text' ? 'j' : 'PageDown');
        if (at % 10 === 0 || view !== 'Text') await page.waitForLoadState('networkidle');
      }
      await isResponsive();
    }
    await show('Text');
  }, 120_000);

  test('in URL and headers is shown as it was sent', async () => {
    const tabs = page.getByRole('tablist', { name: 'Views of the session' });
    await tabs.getByRole('tab', { name: 'Handshake' }).click();
    await page.getByText('<img src=x onerror=window.pwned=1>').first().waitFor();
    await page.getByText('</pre><script>window.pwned=1</script>').first().waitFor();
    for (const name of ['Messages', 'Timing', 'Heartbeat', 'Statistics', 'Close', 'Frames']) {
      await tabs.getByRole('tab', { name }).click();
      await isResponsive();
    }
  });

  test('of 10 MB on a single line does not freeze the page, and more is shown on demand', async () => {
    client.send(`["${'x'.repeat(10_000_000)}"]`);
    await page.getByRole('grid', { name: 'Frames' }).press('End');
    const row = page.getByRole('row').filter({ hasText: '10,000,004' });
    await row.click();
    await page.getByRole('button', { name: 'show more' }).waitFor();
    await isResponsive();
    await page.getByRole('button', { name: 'show more' }).click();
    await isResponsive();
    for (const view of ['JSON', 'Hex', 'Bits', 'Text']) {
      await show(view);
      await isResponsive();
    }
  });

  test('as JSON of 100,000 levels is read, opened and searched', async () => {
    client.send('['.repeat(100_000) + '"deep"' + ']'.repeat(100_000));
    await page.getByRole('grid', { name: 'Frames' }).press('End');
    await page.getByRole('row').filter({ hasText: '200,006' }).click();
    await show('JSON');
    await page.getByRole('button', { name: 'open all' }).click();
    await isResponsive();
    await page.getByRole('textbox', { name: 'Search in JSON' }).fill('deep');
    await page.keyboard.press('Enter');
    await page.getByRole('treeitem').filter({ hasText: '"deep"' }).waitFor();
    await isResponsive();
  });

  test('ran no script, asked no other host, and made the console say nothing', async () => {
    expect(await page.evaluate(() => ({ pwned: 'pwned' in globalThis, polluted: 'polluted' in {} }))).toEqual({
      pwned: false,
      polluted: false,
    });
    expect(
      await page.evaluate(
        () =>
          document.querySelectorAll(
            'img, iframe, script:not([src]), style, link[rel=stylesheet]:not([href*="/assets/"])',
          ).length,
      ),
    ).toBe(0);
    expect(dashboard.complaints).toEqual([]);
  });
});
