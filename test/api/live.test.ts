import { afterEach, describe, expect, it } from 'vitest';
import { LiveClient } from '../helpers/live-client.ts';
import { overriding, startRig, TOKEN, type Rig } from '../helpers/dashboard-rig.ts';
import { FIN, RecordedCapture, type RecordedSession } from '../helpers/recorded-capture.ts';
import type { LiveHello } from '../../src/contract/live.ts';

let rig: Rig;
const clients: LiveClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate();
  await rig.stop();
});
const open = async (hello?: Partial<LiveHello>): Promise<LiveClient> => {
  const client = await LiveClient.open(rig.liveUrl, TOKEN, hello);
  clients.push(client);
  return client;
};
const write = (session: RecordedSession, from: number, count: number): void => {
  for (let i = from; i < from + count; i++) session.frames({ payload: `frame ${i}` });
};
const indexes = (client: LiveClient): number[] => client.rows.map(({ index }) => index);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const lastSeq = (): number => rig.capture.store.status().seq;

describe('the live stream', () => {
  it('says nothing before the client has said hello', async () => {
    rig = await startRig();
    write(rig.capture.session(), 0, 3);
    const silent = await open();
    const other = await open({});
    await other.until(() => other.rows.length === 3);
    expect([...silent.messages, ...silent.batches]).toEqual([]);
  });

  it('answers hello with its epoch, then all sessions, then all rows as the API has them', async () => {
    rig = await startRig();
    const session = rig.capture.session({ url: 'wss://a.example/x' });
    session.frames(
      { payload: 'hällo' },
      { direction: 'client-to-server', firstByte: FIN | 2, payload: Buffer.alloc(70_000, 'ab') },
      { firstByte: FIN | 9, payload: '' },
    );
    const client = await open({});
    await client.until(() => client.rows.length === 3);
    const { epoch } = rig.capture.store.status();
    expect(client.messages[0]).toMatchObject({ type: 'hello', epoch, seq: 0, status: { epoch, frames: 3 } });
    expect(client.messages[1]).toMatchObject({ type: 'sessions', sessions: [{ id: session.id, frameCount: 3 }] });
    const page = (await rig.json(`/api/sessions/${session.id}/frames`)) as { frames: { seq: number }[] };
    expect(client.rows).toMatchObject([
      { session: 1, index: 0, seq: page.frames[0]?.seq, payloadLength: 6, preview: 'hällo' },
      { session: 1, index: 1, seq: page.frames[1]?.seq, payloadLength: 70_000, preview: 'ab'.repeat(24) },
      { session: 1, index: 2, seq: page.frames[2]?.seq, payloadLength: 0, preview: '' },
    ]);
  });

  it('sends a session before its frames, and goes on live', async () => {
    rig = await startRig();
    const client = await open({});
    await client.until(() => client.of('hello').length === 1);
    const session = rig.capture.session();
    write(session, 0, 2);
    await client.until(() => client.rows.length === 2);
    expect(client.of('sessions')[0]?.sessions[0]?.id).toBe(session.id);
    write(session, 2, 1);
    await client.until(() => client.rows.length === 3);
    write(session, 3, 1);
    session.record.failed({ by: 'server', code: 'x', message: 'y' });
    await client.until(() => indexes(client).includes(3));
    await client.until(() => client.of('sessions').some(({ sessions }) => sessions[0]?.state !== 'open'));
    expect(indexes(client)).toEqual([0, 1, 2, 3]);
  });

  it('goes on after `since`, and starts afresh for another epoch', async () => {
    rig = await startRig();
    const session = rig.capture.session();
    write(session, 0, 10);
    const { epoch, seq } = rig.capture.store.status();
    const first = await open({ epoch, since: seq });
    await first.until(() => first.of('hello').length === 1);
    write(session, 10, 1);
    await first.until(() => first.rows.length > 0);
    expect(indexes(first)).toEqual([10]);
    const stale = await open({ epoch: 'of yesterday', since: seq });
    await stale.until(() => stale.rows.length === 11);
    expect(stale.of('hello')[0]).toMatchObject({ epoch, seq: 0 });
    const future = await open({ epoch, since: 2 ** 50 });
    await future.until(() => future.of('hello').length === 1);
    write(session, 11, 1);
    await future.until(() => future.rows.length > 0);
    expect(indexes(future)).toEqual([11]);
  });

  it('has neither hole nor double however often it is cut', async () => {
    rig = await startRig();
    const sessions = [rig.capture.session(), rig.capture.session(), rig.capture.session()];
    const total = 3_000;
    let written = 0;
    const writeSome = (): void => {
      for (let i = 0; i < 30 && written < total; i++) sessions[written++ % 3]?.frames({ payload: `${written}` });
    };
    const got = new Map<string, number>();
    const changed = new Map<string, number>();
    let epoch: string | null = null;
    let since = 0;
    let cuts = 0;
    while (got.size < total) {
      writeSome();
      const client = await open({ epoch, since });
      setImmediate(writeSome);
      const enough = 1 + ((cuts * 7919) % 40);
      await client.until(() => client.rows.length >= enough || got.size + client.rows.length >= total);
      client.socket.terminate();
      await client.closed();
      epoch = client.of('hello')[0]?.epoch ?? null;
      for (const row of client.rows) {
        expect(row.seq).toBeGreaterThan(since);
        since = row.seq;
        const key = `${row.session} ${row.index}`;
        expect(got.has(key), key).toBe(false);
        got.set(key, row.seq);
      }
      for (const message of client.of('sessions')) {
        since = Math.max(since, message.seq);
        for (const session of message.sessions) changed.set(session.id, session.frameCount);
      }
      expect(client.of('gap')).toEqual([]);
      cuts++;
    }
    expect(cuts).toBeGreaterThan(20);
    for (const { id } of sessions) {
      expect([...got.keys()].filter((key) => key.startsWith(`${id} `)).length).toBe(total / 3);
    }
    const last = await open({ epoch, since });
    await last.until(() => last.of('hello').length === 1);
    for (const message of last.of('sessions')) for (const s of message.sessions) changed.set(s.id, s.frameCount);
    expect([...changed.keys()].sort()).toEqual(['1', '2', '3']);
  });

  it('sends the rows that are asked for: of all, of none, of some sessions, and changes that at once', async () => {
    rig = await startRig();
    const [a, b] = [rig.capture.session(), rig.capture.session()];
    write(a, 0, 5);
    write(b, 0, 5);
    const none = await open({ frames: 'none' });
    const some = await open({ frames: [b.id] });
    await some.until(() => some.rows.length === 5);
    await none.until(() => none.of('sessions').length > 0);
    expect(some.rows.every((row) => row.session === Number(b.id))).toBe(true);
    expect(
      some
        .of('sessions')
        .flatMap(({ sessions }) => sessions)
        .map(({ id }) => id),
    ).toContain(a.id);
    expect(none.rows).toEqual([]);
    const { epoch, seq } = rig.capture.store.status();
    none.hello({ epoch, since: seq, frames: [a.id] });
    await none.until(() => none.of('hello').length === 2);
    write(a, 5, 1);
    write(b, 5, 1);
    await none.until(() => none.rows.length > 0);
    await some.until(() => some.rows.length === 6);
    expect(none.rows).toMatchObject([{ session: Number(a.id), index: 5 }]);
  });

  it('tells of sessions that were deleted', async () => {
    rig = await startRig();
    const [a, b] = [rig.capture.session(), rig.capture.session()];
    write(a, 0, 2);
    write(b, 0, 2);
    a.record.failed({ by: 'server', code: 'x', message: 'gone' });
    const client = await open({});
    await client.until(() => client.rows.length === 4);
    expect((await rig.get(`/api/sessions/${a.id}`, { method: 'DELETE' })).status).toBe(204);
    await client.until(() => client.of('removed').length > 0);
    expect(client.of('removed').map(({ ids }) => ids)).toEqual([[a.id]]);
  });

  it('tells which sessions are left, who was away while more went than can be named', async () => {
    rig = await startRig({ capture: new RecordedCapture({ budgetBytes: 1 << 20 }) });
    const fault = { by: 'server', code: 'x', message: 'gone' } as const;
    const first = rig.capture.session();
    const before = await open({});
    await before.until(() => before.of('sessions').length > 0);
    const { epoch } = rig.capture.store.status();
    const since = lastSeq();
    first.record.failed(fault);
    for (let i = 0; i < 4000; i++) rig.capture.session().record.failed(fault);
    const client = await open({ epoch, since });
    await client.until(() => client.of('removed').length > 0);
    const held = rig.capture.store.sessions({ limit: 10_000 }).map(({ id }) => id);
    expect(held).not.toContain(first.id);
    expect(client.of('removed')[0]).toMatchObject({ kept: held });
  });

  it('begins a new epoch after a clear, unasked', async () => {
    rig = await startRig();
    const session = rig.capture.session();
    write(session, 0, 5);
    const client = await open({});
    await client.until(() => client.rows.length === 5);
    expect((await rig.get('/api/clear', { method: 'POST' })).status).toBe(204);
    await client.until(() => client.of('hello').length === 2);
    const [before, after] = client.of('hello');
    expect(after?.epoch).not.toBe(before?.epoch);
    expect(after?.seq).toBe(0);
    write(session, 5, 1);
    await client.until(() => client.rows.length === 6);
    expect(client.rows.at(-1)).toMatchObject({ index: 5 });
  });

  it('says when recording stops and goes on', async () => {
    rig = await startRig();
    const client = await open({});
    await client.until(() => client.of('hello').length === 1);
    const init = (recording: boolean): RequestInit => ({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ recording }),
    });
    expect(await (await rig.get('/api/recording', init(false))).json()).toEqual({ recording: false });
    await client.until(() => client.of('status').at(-1)?.status.recording === false);
    await rig.get('/api/recording', init(true));
    await client.until(() => client.of('status').at(-1)?.status.recording === true);
  });
});

describe('pace and size', () => {
  it('sends 20 batches a second and 5,000 rows a batch at most, and a status a second', async () => {
    rig = await startRig();
    const session = rig.capture.session();
    write(session, 0, 12_000);
    const client = await open({});
    const startMs = performance.now();
    await client.until(() => client.rows.length === 12_000);
    expect(Math.max(...client.batches.map(({ batch }) => batch.rowCount))).toBe(5_000);
    let next = 12_000;
    const timer = setInterval(() => write(session, next++, 1), 1);
    await client.until(() => client.batches.length > 20 && performance.now() - startMs > 2_200);
    clearInterval(timer);
    const seconds = (performance.now() - startMs) / 1000;
    expect(client.batches.length).toBeLessThanOrEqual(Math.ceil(seconds * 20) + 1);
    expect(client.of('status').length).toBeGreaterThanOrEqual(1);
    expect(client.of('status').length).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    expect(indexes(client)).toEqual(range(0, client.rows.length));
  });

  it('reads the store once for all dashboards that stand at the same place', async () => {
    let reads = 0;
    rig = await startRig({
      readerOf: ({ store }) =>
        overriding(store, {
          rowsSince: (...range) => {
            reads++;
            store.rowsSince(...range);
          },
        }),
    });
    const session = rig.capture.session();
    const all = await Promise.all(range(0, 5).map(() => open({})));
    // The tick after the answer is the one that brings what there is.
    await Promise.all(all.map((client) => client.until(() => client.of('sessions').length > 0)));
    reads = 0;
    write(session, 0, 10);
    await Promise.all(all.map((client) => client.until(() => client.rows.length === 10)));
    expect(reads).toBe(1);
  });

  it('slices a long list of sessions, and all of it arrives in order of change', async () => {
    rig = await startRig();
    const ids = range(0, 9_000).map(() => rig.capture.session({ url: `wss://h.example/${'x'.repeat(200)}` }).id);
    const client = await open({});
    await client.until(() => client.of('sessions').reduce((sum, { sessions }) => sum + sessions.length, 0) >= 9_000);
    const sessions = client.of('sessions').flatMap((message) => message.sessions);
    expect(sessions.map(({ id }) => id)).toEqual(ids);
    expect(client.of('sessions').length).toBeGreaterThan(8);
    expect(sessions.map(({ seq }) => seq)).toEqual(sessions.map(({ seq }) => seq).sort((a, b) => a - b));
    // What comes after them is no repetition of them.
    rig.capture.session();
    await client.until(() => client.of('sessions').at(-1)?.sessions.length === 1);
    expect(client.of('sessions').reduce((sum, message) => sum + message.sessions.length, 0)).toBe(9_001);
  });
});

describe('what is lost is told', () => {
  it('tells a gap for rows that were evicted before they were sent', async () => {
    rig = await startRig({ capture: new RecordedCapture({ budgetBytes: 8 * 2 ** 20 }) });
    const session = rig.capture.session();
    const payload = Buffer.alloc(4_000, 'p');
    for (let i = 0; i < 6_000; i++) session.frames({ firstByte: FIN | 2, payload });
    expect(rig.capture.store.status().evicted.frames).toBeGreaterThan(0);
    const client = await open({});
    await client.until(() => indexes(client).includes(5_999));
    const [gap, ...more] = client.of('gap');
    expect(more).toEqual([]);
    expect(gap).toMatchObject({ from: 1 });
    const first = client.rows[0];
    expect(gap?.to).toBe((first?.seq ?? 0) - 1);
    expect(indexes(client)).toEqual(range(first?.index ?? 0, 6_000));
    session.frames({ payload: 'one more' });
    await client.until(() => indexes(client).includes(6_000));
    expect(client.of('gap').length).toBe(1);
  });

  it('lets who lags by more than 200,000 rows jump on', async () => {
    rig = await startRig();
    const session = rig.capture.session();
    const total = 230_000;
    write(session, 0, total);
    const client = await open({});
    await client.until(() => client.rows.length > 0);
    const gap = client.of('gap')[0];
    expect(gap).toMatchObject({ from: 1, to: lastSeq() - 100_000 });
    expect(client.rows[0]?.seq).toBe((gap?.to ?? 0) + 1);
  });
});

describe('bad messages', () => {
  it('are answered with an error, and the connection goes on', async () => {
    rig = await startRig();
    const client = await open();
    const wrong = [
      'nonsense',
      '[]',
      '{"type":"goodbye"}',
      '{"type":"hello","epoch":null,"since":-1}',
      '{"type":"hello","epoch":null,"since":0,"frames":["x"]}',
      Buffer.from('{"type":"hello","epoch":null,"since":0}'),
    ];
    for (const message of wrong) client.socket.send(message);
    await client.until(() => client.of('error').length === wrong.length);
    expect(client.of('error').every(({ error }) => error.code === 'invalid-parameter')).toBe(true);
    client.hello({});
    await client.until(() => client.of('hello').length === 1);
  });

  it('over 64 KiB end it', async () => {
    rig = await startRig();
    const client = await open({});
    client.socket.send('x'.repeat(65 * 1024));
    expect(await client.closed()).toBe(1009);
  });
});

describe('stopping', () => {
  it('closes dashboards with 1001', async () => {
    rig = await startRig();
    const client = await open({});
    await client.until(() => client.of('hello').length === 1);
    const [code] = await Promise.all([client.closed(), rig.dashboard.stop()]);
    expect(code).toBe(1001);
  });
});
