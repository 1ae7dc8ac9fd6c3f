import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { type RunningApp, startApp } from '../../src/app.ts';
import { createClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import type { FrameRow } from '../../src/contract/frame.ts';
import type { SessionDetail, SessionSummary } from '../../src/contract/session.ts';

/** All of Frametap in this process, on free ports, with a CA of its own. */
export interface AppRig {
  readonly app: RunningApp;
  /** GET of the API, as JSON. */
  get<T>(path: string): Promise<T>;
  /** Any request to the dashboard, with the token. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  sessions(): Promise<SessionSummary[]>;
  session(id: string): Promise<SessionDetail>;
  frames(id: string): Promise<FrameRow[]>;
  /** The first session that `found` accepts, waited for. */
  waitForSession(found: (session: SessionSummary) => boolean): Promise<SessionSummary>;
  /** So much time goes by for the capture at once, and for nobody else. */
  skip(ms: number): void;
  stop(): Promise<void>;
}

export async function startTestApp(
  flags: Readonly<Record<string, unknown>> = {},
  logger: Logger = pino({ level: 'silent' }),
): Promise<AppRig> {
  const certs = await mkdtemp(join(tmpdir(), 'frametap-app-'));
  const config = await loadConfig({ flags: { port: '0', uiPort: '0', certs, ...flags }, env: {} });
  const clock = createClock();
  let skippedMs = 0;
  const app = await startApp(config, {
    logger,
    clock: () => clock() + skippedMs * 1000,
    webRoot: join(import.meta.dirname, '..', '..', 'dist', 'web'),
  });
  const send = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(new URL(path, app.dashboard.url), {
      ...init,
      headers: { ...(init?.headers as Record<string, string>), authorization: `Bearer ${app.dashboard.token}` },
    });
  const get = async <T>(path: string): Promise<T> => {
    const response = await send(path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const sessions = async (): Promise<SessionSummary[]> =>
    (await get<{ sessions: SessionSummary[] }>('/api/sessions?limit=1000')).sessions;
  return {
    app,
    get,
    fetch: send,
    sessions,
    session: (id) => get(`/api/sessions/${id}`),
    frames: async (id) => (await get<{ frames: FrameRow[] }>(`/api/sessions/${id}/frames?limit=1000`)).frames,
    async waitForSession(found) {
      for (;;) {
        const session = (await sessions()).find(found);
        if (session !== undefined) return session;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    skip: (ms) => void (skippedMs += ms),
    async stop() {
      await app.stop();
      await rm(certs, { recursive: true, force: true });
    },
  };
}
