import type { CloseRecord, Fault, SessionMode, SessionState, SessionSummary } from '../contract/session.ts';
import { isoMicros } from '../contract/time.ts';

/** What a summary is made of. Times in microseconds since the Unix epoch; pairs: client to server first. */
export interface SummaryFacts {
  readonly id: string;
  readonly url: string;
  readonly mode: SessionMode;
  readonly state: SessionState;
  readonly startedUs: number;
  readonly openedUs: number | null;
  readonly closedUs: number | null;
  readonly client: { readonly address: string; readonly port: number };
  readonly status: number | null;
  readonly subprotocol: string | null;
  readonly extensions: string | null;
  readonly frames: readonly [number, number];
  readonly bytes: readonly [number, number];
  readonly frameCount: number;
  readonly violationCount: number;
  readonly heardUs: number;
  readonly survivedUs: number;
  /** When its end began; null where nothing has ended it yet. */
  readonly endUs: number | null;
  readonly close: CloseRecord | null;
  readonly fault: Fault | null;
}

/** @param place what the store changes even after the end of a session */
export function summaryOf(
  facts: SummaryFacts,
  place: { readonly seq: number; readonly firstHeldFrame: number },
): SessionSummary {
  const { id, url, mode, state, client, status, subprotocol, extensions, frames, bytes } = facts;
  const { openedUs, heardUs, endUs } = facts;
  return {
    id,
    seq: place.seq,
    url,
    mode,
    state,
    startedAt: isoMicros(facts.startedUs),
    openedAt: iso(openedUs),
    closedAt: iso(facts.closedUs),
    client,
    status,
    subprotocol,
    extensions,
    clientToServer: { frames: frames[0], bytes: bytes[0] },
    serverToClient: { frames: frames[1], bytes: bytes[1] },
    frameCount: facts.frameCount,
    firstHeldFrame: place.firstHeldFrame,
    violationCount: facts.violationCount,
    silence:
      openedUs === null
        ? null
        : {
            since: isoMicros(heardUs),
            survivedMs: inMs(facts.survivedUs),
            beforeEndMs: endUs === null ? null : inMs(endUs - heardUs),
          },
    close: facts.close,
    fault: facts.fault,
  };
}

/** Milliseconds, with microseconds as the times of frames have them. */
function inMs(us: number): number {
  return Math.round(us) / 1000;
}

function iso(timeUs: number | null): string | null {
  return timeUs === null ? null : isoMicros(timeUs);
}
