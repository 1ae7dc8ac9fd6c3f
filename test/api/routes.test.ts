import { once } from 'node:events';
import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiError, FramePage, IndexPage, MessagePage, SessionPage } from '../../src/contract/api.ts';
import type { SessionDetail } from '../../src/contract/session.ts';
import type { Status } from '../../src/contract/status.ts';
import { FrametapError } from '../../src/errors.ts';
import { readCapture } from '../helpers/exported-capture.ts';
import { overriding, putProtos, startRig, type Rig } from '../helpers/dashboard-rig.ts';
import { PeerDeflate } from '../helpers/peer-deflate.ts';
import { FIN, RecordedCapture, RSV1, type RecordedSession } from '../helpers/recorded-capture.ts';

let rig: Rig;
afterEach(() => rig.stop());
const json = async <T>(path: string): Promise<T> => (await rig.json(path)) as T;
const chatter = (session: RecordedSession, count: number): void => {
  for (let i = 0; i < count; i++) {
    session.frames({
      payload: `message ${i}${i % 10 === 0 ? ' special' : ''}`,
      direction: i % 2 === 0 ? 'client-to-server' : 'server-to-client',
    });
  }
};
async function compressedSession(texts: readonly string[]): Promise<RecordedSession> {
  const session = rig.capture.session({ extensions: 'permessage-deflate' });
  const payloads = await new PeerDeflate().compressAll(texts);
  return session.frames(...payloads.map((payload) => ({ firstByte: FIN | RSV1 | 1, payload })));
}

describe('GET /api/status', () => {
  it('says where everything is and how much there is', async () => {
    rig = await startRig();
    chatter(rig.capture.session(), 3);
    const status = await json<Status>('/api/status');
    expect(status).toMatchObject({
      version: '1.2.3',
      command: 'npm start --',
      proxy: { host: '127.0.0.1', port: 8080, url: 'http://127.0.0.1:8080/' },
      dashboard: { host: '127.0.0.1', port: rig.dashboard.port, url: `${rig.origin}/` },
      recording: true,
      sessions: 1,
      openSessions: 1,
      frames: 3,
      evicted: { sessions: 0, frames: 0, bytes: 0 },
    });
    expect(status.uptimeMs).toBeGreaterThanOrEqual(0);
  });
});

describe('GET /api/sessions', () => {
  it('pages, oldest first or newest first', async () => {
    rig = await startRig();
    for (let i = 0; i < 5; i++) rig.capture.session({ url: `wss://host-${i}.example/` });
    const seen = async (query: string): Promise<string[]> => {
      const ids: string[] = [];
      for (let after: string | null = ''; after !== null;) {
        const page: SessionPage = await json<SessionPage>(
          `/api/sessions?limit=2&${query}${after === '' ? '' : `&after=${after}`}`,
        );
        expect(page.sessions.length).toBeLessThanOrEqual(2);
        ids.push(...page.sessions.map(({ id }) => id));
        after = page.next;
      }
      return ids;
    };
    expect(await seen('')).toEqual(['1', '2', '3', '4', '5']);
    expect(await seen('order=newest')).toEqual(['5', '4', '3', '2', '1']);
    expect(await seen('order=newest&filter=host:host-1')).toEqual(['2']);
    expect((await rig.get('/api/sessions?order=sideways')).status).toBe(400);
  });

  it('refuses a parameter that there is not, and says what a wrong one must be', async () => {
    rig = await startRig();
    const messageOf = async (path: string): Promise<string> => {
      const answer = await rig.get(path);
      expect(answer.status).toBe(400);
      const { error } = (await answer.json()) as ApiError;
      expect(error.code).toBe('invalid-parameter');
      return error.message;
    };
    expect(await messageOf('/api/sessions?fliter=x')).toBe(
      'There is no parameter "fliter". There are: filter, after, order, limit.',
    );
    expect(await messageOf('/api/export?session=abc')).toBe('querystring/session must be a decimal number.');
    expect((await rig.get('/api/export?session=&filter=')).status).toBe(200);
    expect((await rig.get('/api/filter/completions?text=&cursor=0')).status).toBe(200);
    expect(await messageOf('/api/sessions/abc')).toBe('params/id must be a decimal number.');
  });

  it('filters, and says where a filter is wrong', async () => {
    rig = await startRig();
    for (const host of ['alpha', 'beta']) chatter(rig.capture.session({ url: `wss://${host}.example/` }), 5);
    const byHost = await json<SessionPage>('/api/sessions?filter=host:beta.example');
    expect(byHost.sessions.map(({ url }) => url)).toEqual(['wss://beta.example/']);
    expect(byHost.needsFrames).toBe(false);
    const byFrame = await json<SessionPage>('/api/sessions?filter=special');
    expect(byFrame.sessions.length).toBe(2);
    const wrong = await rig.get(`/api/sessions?filter=${encodeURIComponent('host:a and (')}`);
    expect(wrong.status).toBe(400);
    const { error } = (await wrong.json()) as ApiError;
    expect(error.code).toBe('invalid-filter');
    expect(error.position).toBe(12);
    const host = await rig.get('/api/sessions?filter=localhost:9502');
    expect(((await host.json()) as ApiError).error.message).toContain('expected host:localhost:9502');
  });

  it('has one session with everything, and none that does not exist', async () => {
    rig = await startRig();
    const { id } = rig.capture.session();
    expect(await json<SessionDetail>(`/api/sessions/${id}`)).toMatchObject({ id, handshake: {}, timingsMs: {} });
    expect((await rig.get('/api/sessions/99')).status).toBe(404);
    expect((await rig.get('/api/sessions/99', { method: 'DELETE' })).status).toBe(404);
    expect((await rig.get('/api/sessions/99/frames')).status).toBe(404);
    expect((await rig.get('/api/sessions/99/messages')).status).toBe(404);
    expect((await rig.get('/api/export?session=99')).status).toBe(404);
  });
});

describe('GET /api/sessions/:id/frames', () => {
  it('gives rows from an index on', async () => {
    rig = await startRig();
    const session = rig.capture.session();
    chatter(session, 25);
    const page = await json<FramePage>(`/api/sessions/${session.id}/frames?from=10&limit=10`);
    expect(page.frames.map(({ index }) => index)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(page).toMatchObject({ next: 20, frameCount: 25, firstHeldFrame: 0 });
    const last = await json<FramePage>(`/api/sessions/${session.id}/frames?from=20&limit=5`);
    expect(last.frames.length).toBe(5);
    expect(last.next).toBeNull();
    expect(await json<FramePage>(`/api/sessions/${session.id}/frames?from=500`)).toMatchObject({
      frames: [],
      next: null,
    });
  });

  it('gives the rows that have certain indexes, in order, and none for those that there are not', async () => {
    rig = await startRig();
    const session = rig.capture.session();
    chatter(session, 300);
    const path = `/api/sessions/${session.id}/frames?indexes=`;
    const page = await json<FramePage>(`${path}250,3,3,7,999`);
    expect(page.frames.map(({ index }) => index)).toEqual([3, 7, 250]);
    expect(page).toMatchObject({ next: null, frameCount: 300, firstHeldFrame: 0 });
    const { frames, next } = await json<FramePage>(`${path}250,3,7,9&limit=2`);
    expect([frames.map(({ index }) => index), next]).toEqual([[3, 7], 9]);
    const many = Array.from({ length: 500 }, (_, i) => i).join();
    expect((await json<FramePage>(path + many)).frames).toHaveLength(300);
    for (const [wrong, message] of [
      [`${many},500`, 'at most 500 indexes with commas between'],
      ['1,,2', 'at most 500 indexes with commas between'],
      ['-1', 'at most 500 indexes with commas between'],
      ['1&from=0', 'leave out from'],
      ['1&filter=a&to=5', 'leave out filter and to'],
    ] as const) {
      const answer = await rig.get(path + wrong);
      expect(answer.status).toBe(400);
      expect(((await answer.json()) as ApiError).error.message).toContain(message);
    }
  });

  it('finds the frames of a filter, page by page', async () => {
    rig = await startRig();
    const session = rig.capture.session();
    chatter(session, 205);
    const found: number[] = [];
    let from: number | null = 0;
    while (from !== null) {
      const query: string = `from=${from}&limit=4&filter=special`;
      const page: FramePage = await json<FramePage>(`/api/sessions/${session.id}/frames?${query}`);
      expect(page.frames.length).toBeLessThanOrEqual(4);
      found.push(...page.frames.map(({ index }) => index));
      from = page.next;
    }
    expect(found).toEqual(Array.from({ length: 21 }, (_, i) => i * 10));
  });

  it('says which frames pass a filter, as the pages of their rows do', async () => {
    rig = await startRig();
    const session = rig.capture.session();
    chatter(session, 205);
    const path = `/api/sessions/${session.id}/frames/indexes`;
    const tens = Array.from({ length: 21 }, (_, i) => i * 10);
    const all = await json<IndexPage>(`${path}?filter=special`);
    expect(all).toEqual({ indexes: tens, next: null, end: 205, growing: [], unreadable: 0 });
    const some = await json<IndexPage>(`${path}?filter=special&from=15&limit=3`);
    expect(some).toMatchObject({ indexes: [20, 30, 40], end: 205 });
    const rest = await json<IndexPage>(`${path}?filter=special&from=${some.next}&to=100`);
    expect(rest).toMatchObject({ indexes: [50, 60, 70, 80, 90], next: null });
    expect((await json<IndexPage>(path)).indexes).toHaveLength(205);
    expect((await rig.get(`${path}?filter=op:nothing`)).status).toBe(400);
    expect((await rig.get('/api/sessions/99/frames/indexes')).status).toBe(404);
  });

  it('shows the start of compressed messages as they were meant', async () => {
    rig = await startRig();
    const { id } = await compressedSession(['hello there', 'hello again, there']);
    const page = await json<FramePage>(`/api/sessions/${id}/frames`);
    expect(page.frames.map(({ preview }) => preview?.data)).toEqual(['hello there', 'hello again, there']);
  });

  it('says of a continuation, too, that its message is compressed', async () => {
    rig = await startRig();
    const session = rig.capture.session({ extensions: 'permessage-deflate' });
    const payload = await new PeerDeflate().compress('in three frames');
    session.frames(
      { firstByte: RSV1 | 1, payload: payload.subarray(0, 3) },
      { firstByte: FIN | 9, payload: 'between' },
      { firstByte: FIN, payload: payload.subarray(3) },
    );
    const page = await json<FramePage>(`/api/sessions/${session.id}/frames`);
    expect(page.frames.map(({ rsv1, compressed }) => [rsv1, compressed])).toEqual([
      [true, true],
      [false, false],
      [false, true],
    ]);
  });
});

describe('payloads', () => {
  it('come on three planes, as bytes to be saved', async () => {
    rig = await startRig();
    const session = rig.capture.session();
    session.frames({ firstByte: 1, payload: 'abc', direction: 'client-to-server' });
    session.frames({ firstByte: FIN, payload: 'def', direction: 'client-to-server' });
    const path = `/api/sessions/${session.id}/frames/0/payload`;
    const payload = await rig.get(path);
    expect(await payload.text()).toBe('abc');
    expect(payload.headers.get('content-type')).toBe('application/octet-stream');
    expect(payload.headers.get('content-disposition')).toMatch(/^attachment; filename="frametap-1-frame-0\.bin"$/);
    expect(payload.headers.get('x-frametap-whole')).toBe('true');
    const wire = Buffer.from(await (await rig.get(`${path}?plane=wire`)).arrayBuffer());
    expect(wire.subarray(0, 2)).toEqual(Buffer.from([1, 0x80 | 3]));
    const key = wire.subarray(2, 6);
    expect(
      wire
        .subarray(6)
        .map((byte, i) => byte ^ (key[i % 4] ?? 0))
        .toString(),
    ).toBe('abc');
    expect(await (await rig.get(`${path}?plane=message`)).text()).toBe('abcdef');
    expect(await (await rig.get(`/api/sessions/${session.id}/messages/0/payload`)).text()).toBe('abcdef');
    expect((await rig.get(`${path}?plane=other`)).status).toBe(400);
    expect((await rig.get(`/api/sessions/${session.id}/frames/9/payload`)).status).toBe(404);
    expect((await rig.get(`/api/sessions/${session.id}/messages/9/payload`)).status).toBe(404);
  });

  it('of an empty frame are empty, and whole', async () => {
    rig = await startRig();
    const { id } = rig.capture.session().frames({ payload: '' });
    const answer = await rig.get(`/api/sessions/${id}/frames/0/payload`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-frametap-whole')).toBe('true');
    expect((await answer.arrayBuffer()).byteLength).toBe(0);
  });

  it('that are no longer held are 410', async () => {
    rig = await startRig({
      readerOf: ({ store }) => overriding(store, { frameBytes: () => ({ bytes: new Uint8Array(0), whole: false }) }),
    });
    const { id } = rig.capture.session().frames({ payload: 'x' });
    const answer = await rig.get(`/api/sessions/${id}/frames/0/payload`);
    expect(answer.status).toBe(410);
    expect(((await answer.json()) as ApiError).error.code).toBe('not-held');
  });

  it('of a frame that was evicted are 410, of one that never was 404', async () => {
    rig = await startRig({
      readerOf: ({ store }) => overriding(store, { frameBytes: () => undefined }),
    });
    const { id } = rig.capture.session().frames({ payload: 'x' });
    const of = async (index: number): Promise<number> =>
      (await rig.get(`/api/sessions/${id}/frames/${index}/payload`)).status;
    expect([await of(0), await of(1)]).toEqual([410, 404]);
  });

  it('of messages are inflated', async () => {
    rig = await startRig();
    const { id } = await compressedSession(['one', 'two', 'three']);
    const page = await json<MessagePage>(`/api/sessions/${id}/messages?from=0&limit=2`);
    expect(page.messages.map(({ preview }) => preview?.data)).toEqual(['one', 'two']);
    expect(page.next).toBe(2);
    const rest = await json<MessagePage>(`/api/sessions/${id}/messages?from=2&limit=2`);
    expect(rest).toMatchObject({ messages: [{ index: 2 }], next: null, messageCount: 3, firstHeldMessage: 0 });
    const passed = await json<MessagePage>(`/api/sessions/${id}/messages?filter=not+two&fromFrame=1`);
    expect(passed).toMatchObject({ messages: [{ index: 2 }], next: null });
    const limited = await json<MessagePage>(`/api/sessions/${id}/messages?filter=is:compressed&toFrame=2&limit=1`);
    expect(limited).toMatchObject({ messages: [{ index: 0 }], next: 1, growing: [] });
    const chosen = await json<MessagePage>(`/api/sessions/${id}/messages?indexes=2,0,7`);
    expect(chosen).toMatchObject({ messages: [{ index: 0 }, { index: 2 }], next: null, messageCount: 3 });
    expect(chosen.messages.map(({ preview }) => preview?.data)).toEqual(['one', 'three']);
    const first = await json<MessagePage>(`/api/sessions/${id}/messages?indexes=2,0&limit=1`);
    expect(first).toMatchObject({ messages: [{ index: 0 }], next: 2 });
    expect((await rig.get(`/api/sessions/${id}/messages?indexes=2&fromFrame=0`)).status).toBe(400);
    expect((await rig.get('/api/sessions/99/messages?indexes=2')).status).toBe(404);
    const indexes = await json<IndexPage>(`/api/sessions/${id}/messages/indexes?filter=not+two`);
    expect(indexes).toEqual({ indexes: [0, 2], next: null, end: 3, growing: [], unreadable: 0 });
    const one = await json<IndexPage>(`/api/sessions/${id}/messages/indexes?filter=is:compressed&fromFrame=1&limit=1`);
    expect(one).toMatchObject({ indexes: [1], next: 2 });
    const wrong = await rig.get(`/api/sessions/${id}/messages?filter=op:nothing`);
    expect(((await wrong.json()) as ApiError).error).toMatchObject({ code: 'invalid-filter', position: 3 });
    expect(await (await rig.get(`/api/sessions/${id}/messages/2/payload`)).text()).toBe('three');
    expect(await (await rig.get(`/api/sessions/${id}/frames/1/payload?plane=message`)).text()).toBe('two');
  });

  it('of a message that is not whole say that more is to come, and are nothing yet where it is compressed', async () => {
    rig = await startRig();
    const plain = rig.capture.session().frames({ firstByte: 1, payload: 'one' }).id;
    const answer = await rig.get(`/api/sessions/${plain}/messages/0/payload`);
    expect(await answer.text()).toBe('one');
    const said = (name: string): string | null => answer.headers.get(`x-frametap-${name}`);
    expect({ whole: said('whole'), growing: said('growing') }).toEqual({ whole: 'false', growing: 'true' });
    const payload = await new PeerDeflate().compress('in two frames');
    const session = rig.capture.session({ extensions: 'permessage-deflate' });
    session.frames({ firstByte: RSV1 | 1, payload: payload.subarray(0, 3) });
    const growing = await rig.get(`/api/sessions/${session.id}/frames/0/payload?plane=message`);
    expect([growing.status, growing.headers.get('x-frametap-growing')]).toEqual([200, 'true']);
    expect(await growing.text()).toBe('');
    expect(await json(`/api/sessions/${session.id}/frames/0/decoded`)).toMatchObject({ whole: false, growing: true });
    session.frames({ firstByte: FIN, payload: payload.subarray(3) });
    const whole = await rig.get(`/api/sessions/${session.id}/frames/0/payload?plane=message`);
    expect(whole.headers.get('x-frametap-growing')).toBe('false');
    expect(await whole.text()).toBe('in two frames');
  });

  it('of a message that cannot be inflated say why', async () => {
    rig = await startRig();
    const [, second] = await new PeerDeflate().compressAll(['the same words', 'the same words']);
    const broken = rig.capture.session({ extensions: 'permessage-deflate' });
    broken.frames({ firstByte: FIN | RSV1 | 1, payload: Uint8Array.of(255, 255, 255) });
    const bad = await rig.get(`/api/sessions/${broken.id}/messages/0/payload`);
    expect([bad.status, ((await bad.json()) as ApiError).error.code]).toEqual([422, 'not-inflatable']);
    const session = rig.capture.session({ extensions: 'permessage-deflate' });
    rig.capture.store.setRecording(false);
    session.frames({ firstByte: FIN | RSV1 | 1, payload: 'what the next builds on' });
    rig.capture.store.setRecording(true);
    session.frames({ firstByte: FIN | RSV1 | 1, payload: second ?? '' });
    const lost = await rig.get(`/api/sessions/${session.id}/frames/1/decoded`);
    expect(lost.status).toBe(410);
    expect(((await lost.json()) as ApiError).error.message).toContain('builds on earlier messages');
  });
});

describe('what changes something', () => {
  it('deletes a session', async () => {
    rig = await startRig();
    const session = rig.capture.session();
    chatter(session, 10);
    expect((await rig.get(`/api/sessions/${session.id}`, { method: 'DELETE' })).status).toBe(204);
    const page = await rig.get(`/api/sessions/${session.id}/frames`);
    expect(page.status === 404 || ((await page.json()) as FramePage).frames.length === 0).toBe(true);
  });
  it('clears everything and begins a new epoch', async () => {
    rig = await startRig();
    chatter(rig.capture.session(), 10);
    const before = await json<Status>('/api/status');
    expect((await rig.get('/api/clear', { method: 'POST' })).status).toBe(204);
    const after = await json<Status>('/api/status');
    expect(after.epoch).not.toBe(before.epoch);
  });
});

describe('GET /api/export', () => {
  it('sends the capture, or one session of it, as a file', async () => {
    rig = await startRig();
    for (let i = 0; i < 3; i++) chatter(rig.capture.session({ url: `wss://host-${i}.example/` }), 100);
    const answer = await rig.get('/api/export');
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="frametap-[-\dT]+\.json"$/);
    expect(readCapture(await answer.text()).sessions.map(({ frames }) => frames.length)).toEqual([100, 100, 100]);
    const one = readCapture(await (await rig.get('/api/export?format=json&session=2')).text());
    expect(one.sessions.map(({ id }) => id)).toEqual(['2']);
    const some = readCapture(await (await rig.get('/api/export?filter=host:host-1.example')).text());
    expect(some.sessions.map(({ id }) => id)).toEqual(['2']);
    expect((await rig.get('/api/export?format=xml')).status).toBe(400);
    expect((await rig.get('/api/export?secrets=all')).status).toBe(400);
    expect((await rig.get('/api/export?filter=(')).status).toBe(400);
  });

  it('stops when the download is broken off', async () => {
    let read = 0;
    rig = await startRig({
      readerOf: ({ store }) =>
        overriding(store, {
          frameBytes: (...which) => {
            read++;
            return store.frameBytes(...which);
          },
        }),
    });
    const session = rig.capture.session();
    for (let i = 0; i < 20_000; i++) session.frames({ payload: 'z'.repeat(2_000) });
    const abort = new AbortController();
    const answer = await rig.get('/api/export', { signal: abort.signal });
    await answer.body?.getReader().read();
    abort.abort();
    let last = -1;
    while (read !== last) {
      last = read;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(read).toBeLessThan(20_000);
    expect((await rig.get('/healthz')).status).toBe(200);
  });
});

describe('GET /api/openapi.json', () => {
  it('describes every route, and the answers are as it says', async () => {
    rig = await startRig();
    const session = rig.capture.session();
    chatter(session, 3);
    session.record.failed({ by: 'server', code: 'upstream-closed', message: 'gone' });
    await compressedSession(['a', 'b']);
    const document = await json<{
      openapi: string;
      paths: Record<
        string,
        Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>
      >;
    }>('/api/openapi.json');
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual([
      '/api/ca.pem',
      '/api/clear',
      '/api/export',
      '/api/filter/completions',
      '/api/protos',
      '/api/recording',
      '/api/sessions',
      '/api/sessions/{id}',
      '/api/sessions/{id}/frames',
      '/api/sessions/{id}/frames/indexes',
      '/api/sessions/{id}/frames/{index}/attachments',
      '/api/sessions/{id}/frames/{index}/decoded',
      '/api/sessions/{id}/frames/{index}/partner',
      '/api/sessions/{id}/frames/{index}/payload',
      '/api/sessions/{id}/messages',
      '/api/sessions/{id}/messages/indexes',
      '/api/sessions/{id}/messages/{index}/payload',
      '/api/status',
      '/healthz',
      '/readyz',
    ]);
    const ajv = new Ajv2020({ strict: false });
    const hold = async (path: string, real: string, status = '200'): Promise<void> => {
      const schema = document.paths[path]?.['get']?.responses[status]?.content?.['application/json']?.schema;
      if (schema === undefined) throw new Error(`no schema for ${path}`);
      const validate = ajv.compile(closed(schema));
      expect(validate(await rig.json(real)), `${real}: ${ajv.errorsText(validate.errors)}`).toBe(true);
    };
    await hold('/api/status', '/api/status');
    await hold('/api/sessions', '/api/sessions');
    await hold('/api/sessions/{id}', '/api/sessions/1');
    await hold('/api/sessions/{id}', '/api/sessions/2');
    await hold('/api/sessions/{id}/frames', '/api/sessions/2/frames');
    await hold('/api/sessions/{id}/messages', '/api/sessions/2/messages');
    await hold('/api/sessions/{id}/frames/indexes', '/api/sessions/2/frames/indexes');
    await hold('/api/sessions/{id}/messages/indexes', '/api/sessions/2/messages/indexes');
    await hold('/api/sessions', '/api/sessions?filter=(', '4XX');
    await putProtos(rig, { 'note.proto': 'syntax = "proto3"; message Note { string text = 1; }' });
    await hold('/api/protos', '/api/protos');
    await hold('/api/sessions/{id}/frames/{index}/decoded', '/api/sessions/2/frames/0/decoded?as=protobuf:Note');
    await hold('/healthz', '/healthz');
  });
});

/** The same schema, in which nothing is allowed that is not named: so that no member goes undocumented. */
function closed(schema: unknown): object {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) =>
    typeof value === 'object' && value !== null && 'properties' in value
      ? { ...value, additionalProperties: false }
      : value,
  ) as object;
}

describe('the pages', () => {
  it('say so where the dashboard was not built', async () => {
    rig = await startRig();
    const answer = await rig.get('/');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('npm run build');
  });
  it('are served from the folder of the build, with lasting assets', async () => {
    const webRoot = await mkdtemp(join(tmpdir(), 'frametap-web-'));
    await mkdir(join(webRoot, 'assets'));
    await writeFile(join(webRoot, 'index.html'), '<!doctype html><title>x</title>');
    await writeFile(join(webRoot, 'assets', 'a-1234.js'), '1');
    rig = await startRig({ webRoot });
    try {
      const page = await rig.get('/');
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(page.headers.get('cache-control')).toBe('no-cache');
      const asset = await rig.get('/assets/a-1234.js');
      expect(asset.headers.get('content-type')).toContain('javascript');
      expect(asset.headers.get('cache-control')).toContain('immutable');
      expect((await fetch(`${rig.origin}/assets/a-1234.js`)).status).toBe(401);
      expect((await rig.get('/assets/none.js')).status).toBe(404);
      expect((await rig.get('/..%2f..%2fetc/passwd')).status).toBeGreaterThanOrEqual(400);
    } finally {
      await rm(webRoot, { recursive: true });
    }
  });
});

describe('the port', () => {
  it('that is taken is passed over, or refused where it was asked for', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    try {
      rig = await startRig({ port, portIsExplicit: false });
      expect(rig.dashboard.port).toBeGreaterThan(port);
      expect((await rig.get('/healthz')).status).toBe(200);
      const refused = startRig({ port, portIsExplicit: true, capture: new RecordedCapture() });
      await expect(refused).rejects.toThrow(FrametapError);
      await expect(refused).rejects.toMatchObject({ code: 'port-taken' });
      await expect(startRig({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'bind-failed' });
    } finally {
      squatter.close();
    }
  });
});
