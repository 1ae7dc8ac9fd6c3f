import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import type { RunningApp } from '../../src/app.ts';
import { findBrowser } from '../../src/browser.ts';

/** CHROME_PATH, else an installed browser, else the one that @sparticuz/chromium carries. */
export async function chromiumPath(): Promise<string> {
  try {
    return await findBrowser(process.env);
  } catch {
    // None is installed: the packaged one unpacks itself.
    const { default: packaged } = await import('@sparticuz/chromium');
    return packaged.executablePath();
  }
}

/** A headless Chromium with a profile of its own; with `through`, all of its traffic goes through that proxy. */
export async function openChromium(options: {
  readonly through?: RunningApp;
  /** Whether it trusts the proxy's CA; it does unless told. */
  readonly trusting?: boolean;
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
}): Promise<{ readonly context: BrowserContext; close(): Promise<void> }> {
  const profile = await mkdtemp(join(tmpdir(), 'frametap-chromium-'));
  const { through } = options;
  const proxyFlags =
    through === undefined
      ? []
      : [
          `--proxy-server=${through.proxy.host}:${through.proxy.port}`,
          '--proxy-bypass-list=<-loopback>',
          ...(options.trusting === false ? [] : [`--ignore-certificate-errors-spki-list=${through.ca.leafSpkiSha256}`]),
        ];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: await chromiumPath(),
    headless: true,
    viewport: options.viewport ?? { width: 1440, height: 900 },
    colorScheme: options.colorScheme ?? 'light',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...proxyFlags,
    ],
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
}
