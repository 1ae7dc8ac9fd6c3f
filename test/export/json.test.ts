import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/capture/filter.ts';
import { searchSteps } from '../../src/capture/frame-search.ts';
import { MessagePlane } from '../../src/capture/message-plane.ts';
import { exporterFor, type ExportJob } from '../../src/export/exporter.ts';
import { FrametapError } from '../../src/errors.ts';
import { overriding } from '../helpers/dashboard-rig.ts';
import { payloadBytes, readCapture, type ExportedCapture } from '../helpers/exported-capture.ts';
import { PeerDeflate } from '../helpers/peer-deflate.ts';
import { FIN, RecordedCapture, RSV1 } from '../helpers/recorded-capture.ts';

const job = (capture: RecordedCapture, more: Partial<ExportJob> = {}): ExportJob => ({
  reader: capture.store,
  messages: new MessagePlane(capture.store),
  generator: 'frametap 1.2.3',
  exportedAt: new Date('2026-02-03T04:05:06.789Z'),
  withSecrets: false,
  ...more,
});
async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}
const exported = async (capture: RecordedCapture, more: Partial<ExportJob> = {}): Promise<ExportedCapture> =>
  readCapture(await textOf(exporterFor('json').write(job(capture, more))));

describe('the JSON export', () => {
  it('of nothing is a valid document', async () => {
    expect(await exported(new RecordedCapture())).toMatchObject({
      format: 'frametap-capture',
      version: 1,
      exportedAt: '2026-02-03T04:05:06.789Z',
      generator: 'frametap 1.2.3',
      evicted: { sessions: 0, frames: 0, bytes: 0 },
      sessions: [],
    });
  });

  it('carries every frame with its very bytes, and every message', async () => {
    const capture = new RecordedCapture();
    const payloads = [
      Buffer.from('plain "text" \u2028 \u0000 \ud83d\ude00'),
      Buffer.from([0xef, 0xbb, 0xbf, 0x61]),
      Buffer.from([0xff, 0xfe, 0xfd]),
      Buffer.alloc(0),
      Buffer.from('binary that reads like text'),
      Buffer.alloc(100_000, 'long '),
    ];
    const opcodes = [1, 1, 1, 1, 2, 1];
    const session = capture.session({ url: 'wss://a.example/\ud83d?q="<script>' });
    payloads.forEach((payload, i) =>
      session.frames({
        payload,
        firstByte: FIN | (opcodes[i] ?? 1),
        direction: i % 2 === 0 ? 'client-to-server' : 'server-to-client',
      }),
    );
    session.frames({ firstByte: FIN | 9, payload: 'ping' }, { firstByte: FIN | 8, payload: Buffer.from([3, 232]) });
    const [only] = (await exported(capture)).sessions;
    const hex = (bytes: Uint8Array | null | undefined): string | undefined =>
      bytes === null || bytes === undefined ? undefined : Buffer.from(bytes).toString('hex');
    const expected = payloads.map(hex);
    expect(only?.frames.slice(0, 6).map(({ payload }) => hex(payloadBytes(payload)))).toEqual(expected);
    expect(only?.frames.map(({ payload }) => payload?.encoding)).toEqual([
      ...['utf8', 'utf8', 'base64', 'utf8', 'base64', 'utf8'],
      ...['utf8', 'base64'],
    ]);
    expect(only?.messages.map(({ payload }) => hex(payloadBytes(payload)))).toEqual(expected);
  });

  it('has compressed frames as they went and messages inflated', async () => {
    const capture = new RecordedCapture();
    const session = capture.session({ extensions: 'permessage-deflate' });
    const texts = ['first message', 'second message, much like the first message', 'long '.repeat(50_000)];
    const compressed = await new PeerDeflate().compressAll(texts);
    session.frames(...compressed.map((payload) => ({ firstByte: FIN | RSV1 | 1, payload })));
    const [only] = (await exported(capture)).sessions;
    expect(only?.frames.map(({ payload }) => payloadBytes(payload))).toEqual(compressed.map((one) => Buffer.from(one)));
    expect(only?.messages.map(({ payload }) => payload)).toEqual(texts.map((data) => ({ encoding: 'utf8', data })));
  });

  it('says null for a payload that is not held, and marks one that is held in part', async () => {
    const capture = new RecordedCapture({ payloadLimitBytes: 1_000 });
    const session = capture.session();
    session.frames({ payload: Buffer.alloc(50, 'a') });
    const long = Buffer.alloc(300_000, 'b');
    session.frames({ payload: long });
    const [only] = (await exported(capture)).sessions;
    const cut = only?.frames[1]?.payload;
    if (cut !== null) {
      expect(cut).toMatchObject({ truncated: true });
      expect(long.subarray(0, payloadBytes(cut ?? null)?.length).equals(payloadBytes(cut ?? null) ?? long)).toBe(true);
    }
    expect(only?.frames[1]).toMatchObject({ payloadLength: 300_000 });
  });

  it('redacts cookies and credentials unless they are asked for', async () => {
    const capture = new RecordedCapture();
    const { record } = capture.session();
    const secret = 'not-to-be-seen';
    const names = ['Cookie', 'COOKIE', 'Set-Cookie', 'authorization', 'Proxy-Authorization'];
    const headers = [...names.map((name) => [name, secret] as const), ['X-Other', 'kept'] as const];
    record.update({
      handshake: {
        clientRequest: { method: 'GET', target: '/', httpVersion: '1.1', headers },
        serverRequest: { method: 'GET', target: '/', httpVersion: '1.1', headers },
        serverResponse: { httpVersion: '1.1', status: 101, reason: '', headers },
        clientResponse: { httpVersion: '1.1', status: 101, reason: '', headers },
      },
    });
    const redacted = await textOf(exporterFor('json').write(job(capture)));
    expect(redacted).not.toContain(secret);
    for (const head of Object.values(readCapture(redacted).sessions[0]?.handshake ?? {})) {
      expect(head?.headers).toEqual([...names.map((name) => [name, '[redacted]']), ['X-Other', 'kept']]);
    }
    const whole = await exported(capture, { withSecrets: true });
    for (const head of Object.values(whole.sessions[0]?.handshake ?? {})) expect(head?.headers).toEqual(headers);
  });

  it('takes the sessions that are wanted', async () => {
    const capture = new RecordedCapture();
    for (const host of ['a', 'b', 'c']) capture.session({ url: `wss://${host}.example/` }).frames({ payload: host });
    const { sessions } = await exported(capture, { wanted: ({ url }) => !url.includes('b.example') });
    expect(sessions.map(({ url }) => url)).toEqual(['wss://a.example/', 'wss://c.example/']);
  });

  it('has of a session that passes by its frames those that do, and the messages, and says the filter', async () => {
    const capture = new RecordedCapture();
    const session = capture.session();
    for (let i = 0; i < 3000; i++)
      session.frames({ firstByte: 1, payload: `${i} of` }, { firstByte: 0x80, payload: ' it' });
    session.frames({ firstByte: 0x89, payload: '7 of' });
    const messages = new MessagePlane(capture.store);
    const filtered = async (text: string) => {
      const of = parseFilter(text);
      const search = (id: string) => searchSteps({ reader: capture.store, messages }, id, of);
      return (await exported(capture, { messages, filter: { text, of, search } })) as ExportedCapture & {
        filter: string;
      };
    };
    const pings = await filtered('op:ping');
    expect(pings.filter).toBe('op:ping');
    expect(pings.sessions[0]).toMatchObject({ frameCount: 6001, frames: [{ index: 6000, opcode: 9 }], messages: [] });
    const torn = await filtered('text~/^2999 of it$/ or text~/^2998 of$/');
    expect(torn.sessions[0]).toMatchObject({ frames: [{ index: 5996 }], messages: [{ index: 2999 }] });
    // Chosen while it was open: all of it, though it is closed when it is written.
    session.record.closed();
    const of = parseFilter('is:open');
    const search = (id: string) => searchSteps({ reader: capture.store, messages }, id, of);
    const [closed] = (await exported(capture, { messages, filter: { text: 'is:open', of, search } })).sessions;
    expect([closed?.frames.length, closed?.messages.length]).toEqual([6001, 3000]);
    // By itself: all of it.
    for (const text of ['is:closed', 'echo.example']) {
      const [whole] = (await filtered(text)).sessions;
      expect([whole?.frames.length, whole?.messages.length]).toEqual([6001, 3000]);
    }
  });

  it('is one state of each session though traffic goes on while it is written', async () => {
    const capture = new RecordedCapture();
    const sessions = [capture.session(), capture.session()];
    const write = (): void => sessions.forEach((session) => session.frames({ payload: 'x'.repeat(500) }));
    for (let i = 0; i < 1_000; i++) write();
    let text = '';
    for await (const piece of exporterFor('json').write(job(capture))) {
      text += piece;
      for (let i = 0; i < 20; i++) write();
      capture.session();
    }
    const { sessions: written } = readCapture(text);
    expect(written.map(({ id }) => id)).toEqual(['1', '2']);
    for (const session of written) {
      expect(session.frames.map(({ index }) => index)).toEqual(Array.from(session.frames, (_, i) => i));
      expect(session.frames.length).toBe(session.frameCount);
      expect(session.messages.every(({ lastFrame }) => lastFrame < session.frameCount)).toBe(true);
      expect(session.messages.length).toBe(session.frameCount);
    }
  });

  it('is written as it is read: what was not asked for is not made', async () => {
    const capture = new RecordedCapture();
    const session = capture.session();
    for (let i = 0; i < 20_000; i++) session.frames({ payload: 'y'.repeat(1_000) });
    let read = 0;
    const counting = overriding(capture.store, {
      frameBytes: (...which) => {
        read++;
        return capture.store.frameBytes(...which);
      },
    });
    const pieces = exporterFor('json').write(job(capture, { reader: counting }));
    await pieces.next();
    await pieces.next();
    expect(read).toBeLessThan(500);
    await pieces.return();
    expect(await pieces.next()).toEqual({ done: true, value: undefined });
  });

  it('knows which formats there are', () => {
    expect(() => exporterFor('xml')).toThrow(FrametapError);
    expect(() => exporterFor('xml')).toThrow(/json/);
  });
});
