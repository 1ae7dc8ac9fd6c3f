import type { CloseRecord, SessionSummary } from '../../../src/contract/session.ts';
import { isoMicros } from '../../../src/contract/time.ts';
import { fakeSummary } from '../mock-capture.ts';

export const NOW_US = 1_700_000_000_000_000;

/** A session as far as its silences go. */
export interface QuietSession {
  readonly url?: string;
  /** What it survived, in seconds. */
  readonly survivedS?: number;
  /** How quiet it was before its end; open without it. */
  readonly endS?: number;
  readonly end?: Partial<CloseRecord>;
  /** Open: how long it has been quiet. */
  readonly quietS?: number;
}

export const closedBy = (by: 'client' | 'server', code: number | null): Partial<CloseRecord> => ({
  by,
  code,
  clean: true,
  how: 'closing-handshake',
  [`${by}Frame`]: { code, reason: '', frameIndex: 7 },
});
export const cutBy = (by: 'client' | 'server', how: 'fin' | 'reset' | 'timeout'): Partial<CloseRecord> => ({
  by,
  how,
  [`${by}Ending`]: how,
});

export function quietSession(id: number, quiet: QuietSession): SessionSummary {
  const { url = 'wss://host.example/chat', survivedS = 0, endS, end = closedBy('server', 1001), quietS = 0 } = quiet;
  const close: CloseRecord = {
    by: 'server',
    code: null,
    reason: '',
    clean: false,
    how: 'fin',
    clientFrame: null,
    serverFrame: null,
    echoMs: null,
    clientEnding: null,
    serverEnding: null,
    ...end,
  };
  return {
    ...fakeSummary(id, { frameCount: 9, firstHeldFrame: 0, seq: id, startedMs: NOW_US / 1000 }),
    url,
    frameCount: 9,
    status: 101,
    state: endS === undefined ? 'open' : 'closed',
    openedAt: isoMicros(NOW_US - 600e6),
    closedAt: endS === undefined ? null : isoMicros(NOW_US - 1e6),
    fault: null,
    close: endS === undefined ? null : close,
    silence: {
      since: isoMicros(endS === undefined ? NOW_US - quietS * 1e6 : NOW_US - 1e6 - endS * 1e6),
      survivedMs: survivedS * 1000,
      beforeEndMs: endS === undefined ? null : endS * 1000,
    },
  };
}

export const quietSessions = (...all: readonly QuietSession[]): SessionSummary[] =>
  all.map((quiet, at) => quietSession(at + 1, quiet));
