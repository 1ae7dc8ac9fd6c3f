import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { MemoryStore } from '../../src/capture/memory-store.ts';
import type { SessionSilence } from '../../src/contract/session.ts';
import { type AppRig, startTestApp } from '../helpers/app-rig.ts';
import { readCapture } from '../helpers/exported-capture.ts';
import { openRig, readToEnd, sendChunks, type SessionRig } from '../helpers/session-rig.ts';
import { cutAt, encode, splits } from '../helpers/wire-frames.ts';

const KEY = Buffer.of(1, 2, 3, 4);
const START_US = 1_700_000_000_000_000;

const rigs: SessionRig[] = [];
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.close();
});

/** A session over TCP whose capture has a clock that stands still until it is told. */
async function open(options: Parameters<typeof openRig>[0] = {}): Promise<{
  readonly rig: SessionRig;
  readonly wait: (ms: number) => void;
  readonly silence: () => SessionSilence | null | undefined;
}> {
  let nowUs = START_US;
  const store = new MemoryStore({ budgetBytes: 64 << 20, payloadLimitBytes: 16 << 20, clock: () => nowUs });
  const rig = await openRig({ store, ...options });
  rigs.push(rig);
  return {
    rig,
    wait: (ms) => void (nowUs += ms * 1000),
    silence: () => rig.store.session(rig.sessionId)?.silence,
  };
}

const text = (payload: string, key: Buffer | null = null): Buffer => encode({ opcode: 1, payload, key });
const close = (code: number, key: Buffer | null = null): Buffer =>
  encode({ opcode: 8, payload: Buffer.of(code >> 8, code & 0xff), key });
const since = (ms: number): string => new Date(START_US / 1000 + ms).toISOString().replace('Z', '000Z');

describe('the silences of a session', () => {
  it('count from the opening, are broken by either side, and by a ping as well as by data', async () => {
    const { rig, wait, silence } = await open();
    expect(silence()).toEqual({ since: since(0), survivedMs: 0, beforeEndMs: null });
    wait(3_000);
    await sendChunks(rig, rig.client, [text('one', KEY)]);
    expect(silence()).toEqual({ since: since(3_000), survivedMs: 3_000, beforeEndMs: null });
    wait(7_000);
    await sendChunks(rig, rig.server, [encode({ opcode: 9, payload: 'there?' })]);
    wait(5_000.25);
    await sendChunks(rig, rig.client, [encode({ opcode: 10, payload: 'there?', key: KEY })]);
    expect(silence()).toMatchObject({ survivedMs: 7_000, beforeEndMs: null });
    wait(60_000);
    await sendChunks(rig, rig.server, [close(1001)]);
    wait(100);
    await sendChunks(rig, rig.client, [close(1001, KEY)]);
    expect(silence()).toMatchObject({ survivedMs: 7_000, beforeEndMs: 60_000 });
  });

  it('of one that never carried a frame counts from its opening, by a close frame, a FIN or a reset', async () => {
    const ends: Readonly<Record<string, (rig: SessionRig) => void>> = {
      close: (rig) => void rig.server.end(close(1001)),
      fin: (rig) => void rig.server.end(),
      reset: (rig) => void rig.serverRaw.resetAndDestroy(),
    };
    for (const [name, end] of Object.entries(ends)) {
      const { rig, wait, silence } = await open();
      wait(42_000);
      const ended = readToEnd(rig.client);
      end(rig);
      await ended;
      rig.client.end();
      expect(silence(), name).toEqual({ since: since(0), survivedMs: 0, beforeEndMs: 42_000 });
    }
  });

  it('are over with the first sign of the end: what follows it breaks none', async () => {
    const { rig, wait, silence } = await open();
    wait(10_000);
    await sendChunks(rig, rig.server, [Buffer.concat([close(1001), text('after the close')])]);
    wait(20_000);
    await sendChunks(rig, rig.client, [text('still talking', KEY)]);
    rig.client.end();
    expect(silence()).toEqual({ since: since(0), survivedMs: 0, beforeEndMs: 10_000 });
    const half = await open();
    half.wait(5_000);
    const fin = readToEnd(half.rig.server);
    half.rig.client.end();
    await fin;
    half.wait(1_000);
    await sendChunks(half.rig, half.rig.server, [text('to one who only listens')]);
    expect(half.silence()).toMatchObject({ survivedMs: 0, beforeEndMs: 5_000 });
  });

  it('are right over every split of a message and a close frame', async () => {
    for (const tls of [false, true]) {
      const message = text('x'.repeat(130), KEY);
      const bytes = Buffer.concat([message, close(1000, KEY)]);
      for (const at of tls ? [0, message.length - 1, message.length, message.length + 1] : splits(bytes.length)) {
        const { rig, wait, silence } = await open({ tls });
        const [first, second] = cutAt(bytes, [at]);
        wait(9_000);
        await sendChunks(rig, rig.client, [first as Buffer]);
        wait(1_000);
        if (second !== undefined) await sendChunks(rig, rig.client, [second]);
        const whole = at === 0 || at >= bytes.length;
        const broken = whole || at < message.length;
        expect(silence(), `${at}, ${tls ? 'TLS' : 'plain'}`).toMatchObject({
          survivedMs: at === 0 && second !== undefined ? 10_000 : 9_000,
          beforeEndMs: broken ? 0 : 1_000,
        });
        rig.close();
      }
    }
  });

  it('are not broken by a close frame that comes in pieces', async () => {
    const bytes = close(1001, KEY);
    for (const at of splits(bytes.length)) {
      const { rig, wait, silence } = await open();
      await sendChunks(rig, rig.client, [text('the last word', KEY)]);
      wait(9_000);
      const [first, second] = cutAt(bytes, [at]);
      await sendChunks(rig, rig.client, [first as Buffer]);
      wait(1_000);
      if (second !== undefined) await sendChunks(rig, rig.client, [second]);
      expect(silence(), `${at}`).toMatchObject({ survivedMs: 0, beforeEndMs: second === undefined ? 9_000 : 10_000 });
      rig.close();
    }
  });

  it('are broken by what goes on inside a long frame', async () => {
    const { rig, wait, silence } = await open();
    const long = encode({ opcode: 2, payload: Buffer.alloc(400, 'p') });
    for (const chunk of cutAt(long, [100, 200, 300])) {
      wait(4_000);
      await sendChunks(rig, rig.server, [chunk]);
    }
    expect(silence()).toEqual({ since: since(16_000), survivedMs: 4_000, beforeEndMs: null });
  });

  it('are known while nothing is recorded, and where the proxy ends the session', async () => {
    const { rig, wait, silence } = await open({ strict: true });
    rig.store.setRecording(false);
    wait(8_000);
    await sendChunks(rig, rig.client, [text('not kept', KEY)]);
    rig.store.setRecording(true);
    expect(rig.store.frames(rig.sessionId, 0, 9)).toEqual([]);
    expect(silence()).toMatchObject({ survivedMs: 8_000 });
    wait(2_000);
    await sendChunks(rig, rig.client, [encode({ opcode: 3, payload: 'wrong', key: KEY })]);
    expect(rig.store.session(rig.sessionId)).toMatchObject({ state: 'closed', close: { by: 'proxy' } });
    expect(silence()).toMatchObject({ survivedMs: 8_000, beforeEndMs: 0 });
  });

  it('are what the times of the frames say, whatever is sent when', async () => {
    const step = fc.record({ waitMs: fc.integer({ min: 0, max: 90_000 }), up: fc.boolean(), frames: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.nat(90_000), async (steps, lastMs) => {
        const { rig, wait, silence } = await open();
        for (const { waitMs, up, frames } of steps) {
          wait(waitMs);
          const key = up ? KEY : null;
          const chunk = Buffer.concat(Array.from({ length: frames + 1 }, () => text('and so on', key)));
          await sendChunks(rig, up ? rig.client : rig.server, [chunk]);
        }
        wait(lastMs);
        await sendChunks(rig, rig.client, [close(1000, KEY)]);
        const times = (rig.store.frames(rig.sessionId, 0, 100) ?? []).map(({ time }) => Date.parse(time));
        const all = [START_US / 1000, ...times];
        const gaps = all.slice(1).map((time, at) => time - (all[at] as number));
        expect(silence()).toMatchObject({
          survivedMs: Math.max(0, ...gaps.slice(0, -1)),
          beforeEndMs: gaps.at(-1),
        });
        rig.close();
      }),
      { numRuns: 30 },
    );
  });
});

describe('through all of Frametap, between two ends of ws', () => {
  let app: AppRig;
  let server: WebSocketServer;

  beforeAll(async () => {
    server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      verifyClient: ({ req }: { req: IncomingMessage }) => req.url !== '/refused',
    });
    await once(server, 'listening');
    app = await startTestApp({ reverse: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  afterAll(async () => {
    await app.stop();
    server.close();
  });

  async function connect(path: string): Promise<{ readonly client: WebSocket; readonly peer: WebSocket }> {
    const accepted = once(server, 'connection') as Promise<[WebSocket]>;
    const client = new WebSocket(app.app.proxy.url.replace('http', 'ws') + path);
    client.on('error', () => undefined);
    await once(client, 'open');
    const [peer] = await accepted;
    return { client, peer };
  }
  /** What is said, once it has come through. */
  async function say(from: WebSocket, to: WebSocket, data: string): Promise<void> {
    const came = once(to, 'message');
    from.send(data);
    await came;
  }
  const msBetween = (from = '', to = ''): number => {
    const us = (time: string): number => Date.parse(time) * 1000 + Number(time.slice(-4, -1));
    return (us(to) - us(from)) / 1000;
  };

  it('summary, live stream and export say how long it was quiet, as the times of the frames have it', async () => {
    const { client, peer } = await connect('/quiet');
    app.skip(20_000);
    await say(client, peer, 'hello');
    app.skip(45_000);
    await say(peer, client, 'still here');
    const { id, silence } = await app.waitForSession(
      ({ url, frameCount }) => url.endsWith('/quiet') && frameCount === 2,
    );
    expect(silence).toMatchObject({ beforeEndMs: null });
    app.skip(60_000);
    peer.close(1001, 'idle');
    await once(client, 'close');
    const closed = await app.waitForSession((one) => one.id === id && one.state === 'closed');
    const [first, second, closing] = await app.frames(id);
    expect([first?.opcode, second?.opcode, closing?.opcode]).toEqual([1, 1, 8]);
    expect(closed.silence?.since).toBe(second?.time);
    expect(closed.silence?.survivedMs).toBeGreaterThan(45_000);
    expect(closed.silence?.survivedMs).toBeCloseTo(msBetween(first?.time, second?.time), 2);
    expect(closed.silence?.beforeEndMs).toBeGreaterThan(60_000);
    expect(closed.silence?.beforeEndMs).toBeCloseTo(msBetween(second?.time, closing?.time), 2);
    expect(closed.close).toMatchObject({ by: 'server', code: 1001 });
    const exported = readCapture(await (await app.fetch(`/api/export?format=json&session=${id}`)).text());
    expect(exported.sessions[0]).toMatchObject({ silence: closed.silence });
    const live = new WebSocket(app.app.dashboard.url.replace('http', 'ws') + 'api/live', {
      headers: { authorization: `Bearer ${app.app.dashboard.token}` },
    });
    const told = new Promise((resolve) =>
      live.on('message', (data: Buffer, binary) => {
        const message = binary ? null : (JSON.parse(data.toString()) as { type: string; sessions: { id: string }[] });
        if (message?.type === 'sessions') resolve(message.sessions.find((one) => one.id === id));
      }),
    );
    await once(live, 'open');
    live.send(JSON.stringify({ type: 'hello', epoch: null, since: 0, frames: 'none' }));
    expect(await told).toMatchObject({ silence: closed.silence });
    live.close();
  });

  it('a reset without a word ends a silence like a close frame', async () => {
    const { client, peer } = await connect('/reset');
    await say(peer, client, 'last words');
    app.skip(90_000);
    (peer as unknown as { readonly _socket: Socket })._socket.resetAndDestroy();
    await once(client, 'close');
    const closed = await app.waitForSession(({ url, state }) => url.endsWith('/reset') && state === 'closed');
    expect(closed.close).toMatchObject({ by: 'server', how: 'reset', code: null });
    expect(closed.silence?.beforeEndMs).toBeGreaterThan(90_000);
    expect(closed.silence?.survivedMs).toBeLessThan(90_000);
  });

  it('a session that was never open has none', async () => {
    const refused = new WebSocket(`${app.app.proxy.url.replace('http', 'ws')}/refused`);
    await once(refused, 'error');
    const failed = await app.waitForSession(({ state }) => state === 'failed');
    expect(failed.silence).toBeNull();
  });
});
