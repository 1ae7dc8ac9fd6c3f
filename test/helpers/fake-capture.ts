import type { CaptureWriter, SessionFacts, SessionRecorder } from '../../src/capture/session-recorder.ts';
import type { Fault, Party, SessionMode } from '../../src/contract/session.ts';
import type { HandshakeViolationCode } from '../../src/contract/violations.ts';

/** Keeps what the handshake code writes, and lets a test wait for it. */
export class FakeCapture implements CaptureWriter {
  readonly sessions: RecordedSession[] = [];
  #waiting: (() => void)[] = [];

  openSession(start: RecordedSession['start']): SessionRecorder {
    const session = new RecordedSession(String(this.sessions.length + 1), start, () => this.#changed());
    this.sessions.push(session);
    this.#changed();
    return session;
  }

  /** Resolves with the first session for which `fits` holds. */
  async session(fits: (session: RecordedSession) => boolean = () => true): Promise<RecordedSession> {
    for (;;) {
      const found = this.sessions.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
  failed(): Promise<RecordedSession> {
    return this.session((session) => session.fault !== null);
  }
  open(): Promise<RecordedSession> {
    return this.session((session) => session.state === 'open');
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

export class RecordedSession implements SessionRecorder {
  readonly id: string;
  readonly start: {
    readonly url: string;
    readonly mode: SessionMode;
    readonly client: { readonly address: string; readonly port: number };
  };
  facts: Partial<SessionFacts> = {};
  violations: { code: HandshakeViolationCode; by: Party }[] = [];
  state: 'connecting' | 'open' | 'failed' = 'connecting';
  fault: Fault | null = null;
  readonly #changed: () => void;

  constructor(id: string, start: RecordedSession['start'], changed: () => void) {
    this.id = id;
    this.start = start;
    this.#changed = changed;
  }

  update(facts: Partial<SessionFacts>): void {
    this.facts = {
      ...this.facts,
      ...facts,
      timingsMs: { ...this.facts.timingsMs, ...facts.timingsMs },
      handshake: { ...this.facts.handshake, ...facts.handshake },
    };
    this.#changed();
  }
  violation(code: HandshakeViolationCode, by: Party): void {
    this.violations.push({ code, by });
  }
  opened(): void {
    this.state = 'open';
    this.#changed();
  }
  failed(fault: Fault): void {
    this.fault ??= fault;
    this.state = 'failed';
    this.#changed();
  }
}
