// Makes docs/images/*.png: the built dashboard in Chromium, in front of a new Frametap and of its demo, light and dark.
// Build first (npm run build). CHROME_PATH says where Chromium is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const ROOT = join(import.meta.dirname, '..');
const IMAGES = join(ROOT, 'docs', 'images');
const SIZE = { width: 1280, height: 800 };
/** By then the demo has been through all the ways to end a connection. */
const DEMO_MS = 31_000;

const home = await mkdtemp(join(tmpdir(), 'frametap-'));
const browser = await chromium.launch({
  executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--force-color-profile=srgb',
    '--font-render-hinting=none',
    '--disable-lcd-text',
  ],
});
await mkdir(IMAGES, { recursive: true });
try {
  await withFrametap([], async (page) => {
    await page.getByText('Nothing captured yet').waitFor();
    await shoot(page, 'empty');
  });
  await withFrametap(['demo'], shootDemo);
} finally {
  await browser.close();
  await rm(home, { recursive: true, force: true });
}

/** @param {import('playwright-core').Page} page */
async function shootDemo(page) {
  const session = (text) => page.getByRole('option').filter({ hasText: text }).first();
  const tab = (name) =>
    page.getByRole('tablist', { name: 'Views of the session' }).getByRole('tab', { name, exact: true }).click();
  const way = (name) => page.getByRole('tab', { name, exact: true }).click();
  const grid = page.getByRole('grid', { name: 'Frames' });
  await page.waitForTimeout(DEMO_MS);

  await session('/fragments').click();
  await grid.press('End');
  await grid.getByRole('row').filter({ hasText: '└' }).last().click();
  await way('Text');
  await shoot(page, 'busy');

  await session('/compressed').click();
  await grid.press('Home');
  await grid.getByRole('row').filter({ hasText: '↑' }).first().click();
  await way('Bits');
  await page.locator('.bit-field', { hasText: 'masking key' }).first().hover();
  await shoot(page, 'bits');

  await session('/chat').click();
  await tab('Handshake');
  await page.getByText('equal', { exact: true }).first().waitFor();
  await shoot(page, 'handshake');

  await session('/pings').click();
  await tab('Heartbeat');
  await page.waitForTimeout(500);
  await shoot(page, 'heartbeat');

  await session('/close/4000').click();
  await tab('Close');
  await page
    .getByText(/closing handshake/)
    .first()
    .waitFor();
  await shoot(page, 'close');
}

/**
 * Both colour schemes of what is shown.
 * @param {import('playwright-core').Page} page
 * @param {string} name
 */
async function shoot(page, name) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.waitForTimeout(200);
    await page.screenshot({ path: join(IMAGES, `${name}-${colorScheme}.png`) });
  }
}

/**
 * Runs Frametap with a home of its own, and `look` on its dashboard.
 * @param {readonly string[]} command
 * @param {(page: import('playwright-core').Page) => Promise<void>} look
 */
async function withFrametap(command, look) {
  const program = join(ROOT, 'dist', 'server', 'cli.js');
  const child = spawn(process.execPath, [program, ...command, '--json', '--certs', join(home, 'certs')], {
    env: { ...process.env, HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  try {
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const page = await browser.newPage({ viewport: SIZE, locale: 'en-GB' });
    await page.goto(JSON.parse(line).dashboard.openUrl);
    await look(page);
    await page.close();
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}
