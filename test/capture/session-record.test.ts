import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/capture/memory-store.ts';
import { ViolationBit } from '../../src/contract/violations.ts';
import { FrameScanner, Scan } from '../../src/protocol/frame-scanner.ts';
import { Recorder } from '../../src/capture/recorder.ts';
import type { SessionRecord } from '../../src/capture/session-record.ts';

/** A session that is open, and a clock that stands still until it is told. */
function openSession(): { record: SessionRecord; wait: (ms: number) => void; store: MemoryStore } {
  let nowUs = 1_700_000_000_000_000;
  const store = new MemoryStore({ budgetBytes: 4 << 20, payloadLimitBytes: 1 << 20, clock: () => nowUs });
  const record = store.openSession({ url: 'ws://a.test/', mode: 'reverse', client: { address: '::1', port: 9 } });
  record.opened();
  return { record, store, wait: (ms) => (nowUs += ms * 1000) };
}

const close = (code: number | null, reason = '', frameIndex = 0) => ({ code, reason, frameIndex });

describe('the close of a session', () => {
  it('is unknown while nobody has begun it', () => {
    expect(openSession().record.summary().close).toBeNull();
  });
  it('is clean where both close frames came: who began, both codes, and how long the echo took', () => {
    const { record, wait } = openSession();
    record.closeFrame('client', close(1000, 'bye', 4));
    wait(12.5);
    record.closeFrame('server', close(1001, '', 5));
    record.ended('server', 'fin');
    record.ended('client', 'fin');
    record.closed();
    expect(record.summary()).toMatchObject({
      state: 'closed',
      close: {
        by: 'client',
        code: 1000,
        reason: 'bye',
        clean: true,
        how: 'closing-handshake',
        clientFrame: close(1000, 'bye', 4),
        serverFrame: close(1001, '', 5),
        echoMs: 12.5,
        clientEnding: 'fin',
        serverEnding: 'fin',
      },
    });
  });
  it('that the server began has the code of the server', () => {
    const { record, wait } = openSession();
    record.closeFrame('server', close(4001, 'mine'));
    wait(3);
    record.closeFrame('client', close(4001, 'yours'));
    expect(record.summary().close).toMatchObject({ by: 'server', code: 4001, reason: 'mine', echoMs: 3 });
  });
  it('by a bare close frame has no code', () => {
    const { record } = openSession();
    record.closeFrame('server', close(null));
    record.closeFrame('client', close(1000));
    expect(record.summary().close).toMatchObject({ by: 'server', code: null, clean: true });
  });
  it('without an echo is not clean, and says how the connection ended', () => {
    const { record } = openSession();
    record.closeFrame('client', close(1000));
    record.ended('server', 'reset');
    expect(record.summary().close).toMatchObject({
      by: 'client',
      code: 1000,
      clean: false,
      how: 'reset',
      serverFrame: null,
      echoMs: null,
      clientEnding: null,
      serverEnding: 'reset',
    });
  });
  it('without any close frame is by whom ended first, as it ended', () => {
    for (const by of ['client', 'server'] as const) {
      for (const how of ['fin', 'reset', 'timeout'] as const) {
        const { record } = openSession();
        record.ended(by, how);
        record.ended(by === 'client' ? 'server' : 'client', 'fin');
        expect(record.summary().close).toMatchObject({ by, code: null, reason: '', clean: false, how });
      }
    }
  });
  it('keeps the first close frame of each side', () => {
    const { record } = openSession();
    record.closeFrame('client', close(1000, 'first', 1));
    record.closeFrame('client', close(1011, 'second', 2));
    expect(record.summary().close?.clientFrame).toEqual(close(1000, 'first', 1));
  });
  it('by the proxy has what the proxy said', () => {
    const { record } = openSession();
    record.endedByProxy({ code: 1002, reason: 'reserved-opcode (RFC 6455 §5.2)' });
    expect(record.summary().close).toMatchObject({
      by: 'proxy',
      code: 1002,
      reason: 'reserved-opcode (RFC 6455 §5.2)',
      clean: false,
      how: 'fin',
      clientFrame: null,
      serverFrame: null,
    });
    const stopped = openSession().record;
    stopped.endedByProxy(null);
    expect(stopped.summary().close).toMatchObject({ by: 'proxy', code: null, reason: '' });
  });
  it('that a peer began before the proxy ended it stays with the peer', () => {
    const { record } = openSession();
    record.closeFrame('server', close(1001, 'restart'));
    record.endedByProxy(null);
    expect(record.summary().close).toMatchObject({ by: 'server', code: 1001, reason: 'restart' });
  });
});

describe('the silences of a session', () => {
  it('count from the opening, and the one before the end is none that it survived', () => {
    const { record, wait } = openSession();
    wait(30_000);
    record.heard(1_700_000_030_000_000);
    wait(60_000);
    record.closeFrame('server', close(1001));
    record.closed();
    expect(record.summary().silence).toEqual({
      since: '2023-11-14T22:13:50.000000Z',
      survivedMs: 30_000,
      beforeEndMs: 60_000,
    });
  });
  it('are counted to the microsecond, and do not begin again after the first sign of the end', () => {
    const { record, wait } = openSession();
    wait(1.2341);
    record.ended('client', 'fin');
    wait(5_000);
    record.heard(1_700_000_005_000_000);
    expect(record.summary().silence).toMatchObject({ survivedMs: 0, beforeEndMs: 1.234 });
  });
  it('are none while it is being opened, or where it never was', () => {
    const { store } = openSession();
    const other = store.openSession({ url: 'ws://b.test/', mode: 'connect', client: { address: '::1', port: 9 } });
    expect(other.summary().silence).toBeNull();
    other.failed({ by: 'server', code: 'upstream-refused', message: 'no' });
    expect(other.summary().silence).toBeNull();
  });
});

describe('the violations of a session', () => {
  it('are counted by rule and by whom, with the first frame of each', () => {
    const { record } = openSession();
    record.frameViolations(ViolationBit['reserved-opcode'] | ViolationBit['control-too-long'], 'client', 3);
    record.frameViolations(ViolationBit['reserved-opcode'], 'client', 7);
    record.frameViolations(ViolationBit['reserved-opcode'], 'server', 8);
    record.frameViolations(ViolationBit['truncated-frame'], 'server', null);
    record.messageViolation('inflate-failed', 'server', 9);
    record.violation('subprotocol-not-offered', 'server');
    expect(record.detail().violations).toEqual([
      { code: 'reserved-opcode', by: 'client', count: 2, firstFrame: 3 },
      { code: 'control-too-long', by: 'client', count: 1, firstFrame: 3 },
      { code: 'reserved-opcode', by: 'server', count: 1, firstFrame: 8 },
      { code: 'truncated-frame', by: 'server', count: 1, firstFrame: null },
      { code: 'inflate-failed', by: 'server', count: 1, firstFrame: 9 },
      { code: 'subprotocol-not-offered', by: 'server', count: 1, firstFrame: null },
    ]);
    expect(record.summary().violationCount).toBe(7);
  });
});

describe('the state of a session', () => {
  it('goes from connecting to open to closed, and fails once', () => {
    const { record, store } = openSession();
    expect(record.state).toBe('open');
    record.closed();
    record.failed({ by: 'server', code: 'upstream-closed', message: 'late' });
    expect(record.summary()).toMatchObject({ state: 'closed', fault: null });
    const other = store.openSession({ url: 'ws://b.test/', mode: 'connect', client: { address: '::1', port: 9 } });
    expect(other.summary().state).toBe('connecting');
    other.failed({ by: 'server', code: 'upstream-refused', message: 'no' });
    other.failed({ by: 'client', code: 'client-gone', message: 'later' });
    expect(other.summary()).toMatchObject({ state: 'failed', openedAt: null, fault: { code: 'upstream-refused' } });
    expect(other.summary().closedAt).not.toBeNull();
  });
  it('keeps heads as they were: order, case, duplicates and bytes', () => {
    const { record } = openSession();
    const headers = [
      ['Host', 'a.test'],
      ['x-Twice', 'one'],
      ['X-twice', ''],
      ['Bytes', '\u00e9\u0080'],
    ] as const;
    const request = { method: 'GET', target: '/?q=1', httpVersion: '1.1', headers };
    const response = { httpVersion: '1.1', status: 101, reason: '', headers };
    record.update({ handshake: { clientRequest: request } });
    record.update({ handshake: { serverResponse: response } });
    expect(record.detail().handshake).toEqual({
      clientRequest: request,
      serverRequest: null,
      serverResponse: response,
      clientResponse: null,
    });
  });
});

describe('a session that has ended', () => {
  it('is in the store what it was, and its record is not', () => {
    const { record, store, wait } = openSession();
    const head = { method: 'GET', target: '/', httpVersion: '1.1', headers: [['Host', 'a.test']] as const };
    const proof = { key: 'k', expected: 'e', received: 'e', matches: true };
    record.update({
      url: 'ws://a.test/\u2713',
      status: 101,
      subprotocol: 'chat',
      extensions: null,
      server: {
        address: '::1',
        port: 80,
        tls: { version: 'TLSv1.3', cipher: 'c', alpn: null, certificateSha256: 'f' },
      },
      timingsMs: { connect: 1.25 },
      handshake: { clientRequest: head },
      proof: { client: proof, server: { ...proof, matches: false } },
    });
    wait(2);
    record.frameViolations(ViolationBit['reserved-opcode'], 'client', 3);
    record.closeFrame('client', close(1000, 'by\u00e9 \u2713'));
    const before = store.session(record.id);
    wait(3);
    record.closed();
    const after = store.session(record.id);
    expect(after).toEqual({
      ...before,
      seq: after?.seq,
      state: 'closed',
      closedAt: '2023-11-14T22:13:20.005000Z',
    });
    expect(after?.seq).toBeGreaterThan(before?.seq ?? Infinity);
    expect(store.sessions({ limit: 9 })).toMatchObject([{ id: record.id, close: { reason: 'by\u00e9 \u2713' } }]);
    expect(store.status()).toMatchObject({ sessions: 1, openSessions: 0 });
    record.update({ url: 'ws://late.test/' });
    record.frameViolations(ViolationBit['reserved-opcode'], 'client', 4);
    expect(store.session(record.id)).toEqual(after);
  });

  it('has in its sums what its recorders had only counted', () => {
    const { record, store } = openSession();
    const recorder = new Recorder(store, record, 'server-to-client');
    const scanner = new FrameScanner({ masked: false, extensions: 'none' });
    const bytes = Uint8Array.of(0x82, 2, 1, 2, 0x82, 1, 3);
    recorder.keepChunk(bytes, bytes.length, scanner);
    scanner.begin(0);
    while (scanner.next(bytes, bytes.length) === Scan.Piece) recorder.record(scanner);
    record.closed();
    recorder.endChunk(scanner);
    expect(store.session(record.id)).toMatchObject({ frameCount: 2, serverToClient: { frames: 2, bytes: 3 } });
    expect(store.status()).toMatchObject({ frames: 2, bytes: 3 });
    expect(store.frames(record.id, 0, 9)).toHaveLength(2);
  });

  it('takes its texts with it when it goes', () => {
    const { store } = openSession();
    const before = store.texts.costBytes;
    for (let i = 0; i < 3000; i++) {
      const record = store.openSession({ url: 'ws://b.test/', mode: 'reverse', client: { address: '::1', port: 9 } });
      record.update({ refusalBody: 'x'.repeat(4096) });
      if (i % 2 === 0) record.opened();
      if (i % 2 === 0) record.closed();
      else record.failed({ by: 'server', code: 'upstream-refused', message: 'no' });
      store.deleteSession(record.id);
    }
    // The block that is being filled, and one that is kept for the next.
    expect(store.texts.costBytes - before).toBeLessThan(3 * 65_536);
  });
});
