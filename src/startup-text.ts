import type { RunningApp } from './app.ts';
import type { Config } from './config.ts';
import { VERSION } from './version.ts';

/** The one line of `--json`. */
export function startupJson(app: RunningApp, pid: number): string {
  const { host, port, url } = app.proxy;
  const { certificate, sha256 } = app.ca;
  return JSON.stringify({
    proxy: { host, port, url },
    dashboard: { url: app.dashboard.url, token: app.dashboard.token, openUrl: app.dashboard.openUrl },
    ca: { certificate, sha256 },
    pid,
  });
}

/** What a person reads after the start. `next`: what to do with it, a few short lines. */
export function startupText(app: RunningApp, next: readonly string[]): string {
  // Two lines of sixteen bytes: short enough for a terminal, easy to compare with a browser's dialog.
  const half = (app.ca.sha256.length - 1) / 2;
  const facts = [
    ['Proxy', app.proxy.url],
    ['Dashboard', app.dashboard.openUrl],
    ['CA', app.ca.certificate],
    ['SHA-256', app.ca.sha256.slice(0, Math.floor(half) + 1)],
    ['', app.ca.sha256.slice(Math.floor(half) + 1)],
  ] as const;
  return [
    `Frametap ${VERSION}`,
    '',
    ...facts.map(([name, value]) => `  ${name.padEnd(11)}${value}`),
    '',
    ...next.map((line) => `  ${line}`),
    '',
    '  Ctrl-C stops it.',
    '',
  ].join('\n');
}

/** What is not as the defaults say: another Frametap may be why. */
export function portNotes(app: RunningApp, config: Config): string[] {
  const moved = (
    [
      ['proxy', 'port', config.port, app.proxy.port],
      ['dashboard', 'uiPort', config.uiPort, app.dashboard.port],
    ] as const
  ).filter(([, key, wanted, port]) => !config.given.has(key) && wanted !== port);
  if (moved.length === 0) return [];
  const where = moved.map(([what, , wanted, port]) => `${wanted} is taken, the ${what} is at ${port}`).join('; ');
  return [`Port ${where}. Another Frametap may be running: this one is apart from it.`, ''];
}

export function nextSteps(app: RunningApp, config: Config, command: string): string[] {
  const open = 'Open the dashboard: its address lets one browser in.';
  if (config.reverse !== null) {
    const scheme = config.reverse.secure ? 'wss' : 'ws';
    return [
      open,
      `Connect your client to ws://${hostPort(app)} in place of ${scheme}://${new URL(config.reverse.url).host}.`,
    ];
  }
  return [
    open,
    'Use the proxy for HTTP and HTTPS in your client. http://frametap.test/ through it has the CA and how to trust it',
    `(as has: ${command} ca). Or let a browser be set up for you:`,
    `  ${command} browser https://example.com`,
  ];
}

function hostPort(app: RunningApp): string {
  return new URL(app.proxy.url).host;
}
