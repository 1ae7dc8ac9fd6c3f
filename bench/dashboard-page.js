// @ts-check
// The dashboard in Chromium, in front of a real Frametap with 20,000 sessions that have ended: a session of 1,000,000
// frames is scrolled through while 20,000 rows a second come in at its end. Prints how long it took until the first rows
// and all sessions were there, frames painted a second, long tasks and the heap.
// npm run build && npm run bench:dashboard -- [--frames N] [--sessions N] [--rate N] [--seconds N]. CHROME_PATH says
// where Chromium is.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { WebSocket, WebSocketServer } from 'ws';
import { readArguments } from './arguments.js';
import { start } from './children.js';

const {
  frames: frameCount,
  sessions,
  rate,
  seconds,
  cli,
} = readArguments({ frames: 1_000_000, sessions: 20_000, rate: 20_000, seconds: 10 });
const home = mkdtempSync(join(tmpdir(), 'frametap-bench-'));

const upstream = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
await once(upstream, 'listening');
const { port: upstreamPort } = /** @type {import('node:net').AddressInfo} */ (upstream.address());
const flags = ['--json', '--port', '0', '--ui-port', '0', '--memory', '1GiB', '--certs', join(home, 'certs')];
const frametap = start([process.execPath, cli, ...flags, '--reverse', `ws://127.0.0.1:${upstreamPort}`], {
  env: { ...process.env, HOME: home },
});
const browser = await chromium.launch({
  executablePath: process.env['CHROME_PATH'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--enable-precise-memory-info'],
});
try {
  await run();
} finally {
  await browser.close();
  for (const socket of upstream.clients) socket.terminate();
  upstream.close();
  await frametap.stop();
  rmSync(home, { recursive: true, force: true });
}

/** @param {string} url @param {number} count */
async function openAndClose(url, count) {
  for (let at = 0; at < count; at++) {
    const client = new WebSocket(`${url.replace('http', 'ws')}/short`, { perMessageDeflate: false });
    await once(client, 'open');
    client.close();
    await once(client, 'close');
  }
}

async function run() {
  const { proxy, dashboard } = await frametap.nextReport(20_000);
  await Promise.all(Array.from({ length: 20 }, () => openAndClose(proxy.url, sessions / 20)));
  const arrived = once(upstream, 'connection');
  const client = new WebSocket(`${proxy.url.replace('http', 'ws')}/feed`, { perMessageDeflate: false });
  await once(client, 'open');
  const [server] = await arrived;
  let count = 0;
  const send = () => server.send(`{"type":"tick","sequence":${count++},"symbol":"OAK","price":41.25,"change":-0.017}`);
  const received = receiver(client);
  while (count < frameCount) {
    for (let n = 0; n < 5000 && count < frameCount; n++) send();
    await received.reach(count - 20_000);
  }
  await received.reach(count);

  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const openedAt = performance.now();
  await page.goto(dashboard.openUrl);
  await page.getByRole('grid', { name: 'Frames' }).getByRole('row').nth(3).waitFor();
  const firstRowsMs = performance.now() - openedAt;
  await page
    .locator(`[role=option][aria-setsize="${sessions + 1}"]`)
    .first()
    .waitFor();
  const allSessionsMs = performance.now() - openedAt;

  let due = count;
  const timer = setInterval(() => {
    due += rate / 100;
    while (count < due) send();
  }, 10);
  await page.waitForTimeout(2000);
  const began = count;
  const following = await page.evaluate(measure, { seconds, scroll: false });
  const scrolling = await page.evaluate(measure, { seconds, scroll: true });
  const perSecond = (count - began) / (2 * seconds);
  clearInterval(timer);
  const held = await page.evaluate(() => document.querySelectorAll('[role=row]').length);
  const times = { firstRowsMs: Math.round(firstRowsMs), allSessionsMs: Math.round(allSessionsMs) };
  const result = { frames: count, sessions: sessions + 1, rowsPerSecond: Math.round(perSecond), ...times };
  console.log(JSON.stringify({ ...result, rowsInDocument: held, following, scrolling }, null, 2));
}

/** @param {WebSocket} socket */
function receiver(socket) {
  let messages = 0;
  /** @type {(() => void) | null} */
  let wake = null;
  socket.on('message', () => {
    messages++;
    wake?.();
  });
  return {
    /** @param {number} wanted */
    async reach(wanted) {
      while (messages < wanted) await new Promise((resolve) => (wake = () => resolve(null)));
    },
  };
}

/**
 * Runs in the page: counts what is painted for so many seconds, scrolling by a page and more at each frame, if told.
 * @param {{ seconds: number, scroll: boolean }} options
 */
async function measure({ seconds: lengthSeconds, scroll }) {
  /* global document, PerformanceObserver, requestAnimationFrame */
  const grid = document.querySelector('[role=grid][aria-label=Frames]');
  if (grid === null) throw new Error('there is no table of frames');
  const tasks = /** @type {number[]} */ ([]);
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ entryTypes: ['longtask'] });
  const times = /** @type {number[]} */ ([]);
  const endMs = performance.now() + lengthSeconds * 1000;
  let step = 0;
  for (;;) {
    const now = await new Promise((resolve) => requestAnimationFrame(resolve));
    times.push(now);
    if (now >= endMs) break;
    if (scroll) {
      step++;
      // Small steps, and every second a jump to another place in the million.
      if (step % 60 === 0) grid.scrollTop = ((step / 60) % 7) * (grid.scrollHeight / 7);
      else grid.scrollTop += 130;
    }
  }
  observer.disconnect();
  const gaps = times.slice(1).map((time, at) => time - (times[at] ?? time));
  gaps.sort((a, b) => a - b);
  const memory = /** @type {{ memory?: { usedJSHeapSize: number } }} */ (/** @type {unknown} */ (performance)).memory;
  return {
    paintedPerSecond: Number((gaps.length / lengthSeconds).toFixed(1)),
    longestGapMs: Math.round(gaps.at(-1) ?? 0),
    gap99Ms: Math.round(gaps[Math.floor(gaps.length * 0.99)] ?? 0),
    longTasks: tasks.length,
    longestTaskMs: Math.round(Math.max(0, ...tasks)),
    heapMiB: Math.round((memory?.usedJSHeapSize ?? 0) / 2 ** 20),
  };
}
