import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/capture/filter.ts';
import type { MessageContent } from '../../src/capture/message-reader.ts';
import { MessagePlane, planeBytes } from '../../src/capture/message-plane.ts';
import { PeerDeflate } from '../helpers/peer-deflate.ts';
import { FIN, RecordedCapture, RSV1, type RecordedSession, type TestFrame } from '../helpers/recorded-capture.ts';

const DEFLATE = 'permessage-deflate';
const TEXT = 1;
const BINARY = 2;
const CONT = 0;
const COMPRESSED = FIN | RSV1 | TEXT;

const story = (i: number): string => `message ${i}: ${'the same words again, '.repeat(3 + (i % 7))}${i * 7919}`;
const compressedFrames = async (texts: readonly string[]): Promise<TestFrame[]> =>
  (await new PeerDeflate().compressAll(texts)).map((payload) => ({ firstByte: COMPRESSED, payload }));

function setUp(
  options: { extensions?: string; maxBytes?: number; budgetBytes?: number; payloadLimitBytes?: number } = {},
) {
  const capture = new RecordedCapture(options);
  const session = capture.session(options.extensions === undefined ? {} : { extensions: options.extensions });
  const plane = new MessagePlane(capture.store, options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes });
  return { capture, store: capture.store, session, plane };
}

const textOf = async (plane: MessagePlane, session: RecordedSession, index: number): Promise<string | null> => {
  const content = await plane.content(session.id, index);
  return content?.bytes == null ? null : Buffer.from(content.bytes).toString();
};

describe('the message plane', () => {
  it('knows no messages of a session that does not exist', async () => {
    const { plane } = setUp();
    expect(await plane.messages('77', 0, 10)).toBeUndefined();
    expect(await plane.content('77', 0)).toBeUndefined();
    expect(await plane.messageOfFrame('77', 0)).toBeUndefined();
  });

  it('numbers messages of both directions by their first frame', async () => {
    const { plane, session } = setUp();
    session.frames(
      { direction: 'client-to-server', firstByte: TEXT, payload: 'one ' },
      { firstByte: FIN | BINARY, payload: Uint8Array.of(1, 2, 255) },
      { firstByte: FIN | 9, payload: 'ping' },
      { direction: 'client-to-server', firstByte: CONT, payload: 'and ' },
      { payload: 'three' },
      { direction: 'client-to-server', firstByte: FIN | CONT, payload: 'a half' },
    );
    expect(await plane.messages(session.id, 0, 10)).toMatchObject([
      {
        index: 0,
        direction: 'client-to-server',
        type: 'text',
        firstFrame: 0,
        lastFrame: 5,
        frameCount: 3,
        compressed: false,
        complete: true,
        wireLength: 14,
        payloadLength: 14,
        violations: [],
        preview: { encoding: 'utf8', data: 'one and a half', truncated: false },
      },
      { index: 1, type: 'binary', firstFrame: 1, lastFrame: 1, preview: { encoding: 'hex', data: '0102ff' } },
      { index: 2, type: 'text', firstFrame: 4, preview: { data: 'three' } },
    ]);
    expect(await textOf(plane, session, 0)).toBe('one and a half');
    expect(await plane.messages(session.id, 1, 1)).toMatchObject([{ index: 1 }]);
    expect(await plane.messages(session.id, 3, 5)).toEqual([]);
    expect(await plane.content(session.id, 3)).toBeUndefined();
  });

  it('finds the message of any of its frames, and none for a control frame', async () => {
    const { plane, session } = setUp();
    session.frames(
      { direction: 'client-to-server', firstByte: TEXT },
      { payload: 'other direction' },
      { firstByte: FIN | 9 },
      { direction: 'client-to-server', firstByte: FIN | CONT },
      { firstByte: FIN | CONT, payload: 'continues nothing' },
    );
    const found = await Promise.all([0, 1, 2, 3, 4, 5].map((frame) => plane.messageOfFrame(session.id, frame)));
    expect(found.map((row) => row?.index)).toEqual([0, 1, undefined, 0, undefined, undefined]);
  });

  it('goes on where it stopped when more frames have come', async () => {
    const { plane, session } = setUp();
    session.frames({ payload: 'first' }, { firstByte: TEXT, payload: 'sec' });
    expect(await plane.messages(session.id, 0, 10)).toMatchObject([
      { complete: true },
      { complete: false, wireLength: 3 },
    ]);
    session.frames({ firstByte: FIN | CONT, payload: 'ond' }, { payload: 'third' });
    expect(await plane.messages(session.id, 0, 10)).toMatchObject([
      { complete: true },
      { complete: true, wireLength: 6, lastFrame: 2, preview: { data: 'second' } },
      { preview: { data: 'third' } },
    ]);
  });

  it('calls a message complete as soon as the last byte of its last frame is there', async () => {
    const { plane, session } = setUp();
    session.bytes('server-to-client', Uint8Array.of(0x81, 5, 0x48, 0x65));
    expect(await plane.messages(session.id, 0, 1)).toMatchObject([
      { complete: false, preview: { data: 'He', truncated: true } },
    ]);
    session.bytes('server-to-client', Uint8Array.of(0x6c, 0x6c, 0x6f));
    expect(await plane.messages(session.id, 0, 1)).toMatchObject([{ complete: true, preview: { data: 'Hello' } }]);
  });
});

describe('compressed messages', () => {
  it.each([
    [DEFLATE, false],
    [`${DEFLATE}; server_no_context_takeover; client_no_context_takeover`, true],
    [`${DEFLATE}; server_max_window_bits=10; client_max_window_bits=9`, false],
  ])('are inflated as negotiated: %s', async (extensions, fresh) => {
    const { plane, session } = setUp({ extensions });
    const texts = Array.from({ length: 40 }, (_, i) => story(i));
    const peers = {
      'client-to-server': new PeerDeflate({ windowBits: 9 }),
      'server-to-client': new PeerDeflate({ windowBits: 10 }),
    };
    for (const [i, text] of texts.entries()) {
      const direction = i % 3 === 0 ? 'client-to-server' : 'server-to-client';
      const payload = await (fresh ? new PeerDeflate() : peers[direction]).compress(text);
      const half = payload.length >> 1;
      session.frames(
        { direction, firstByte: RSV1 | TEXT, payload: payload.subarray(0, half) },
        { direction, firstByte: FIN | 9, payload: 'between' },
        { direction, firstByte: FIN | CONT, payload: payload.subarray(half) },
      );
    }
    const rows = await plane.messages(session.id, 0, 100);
    expect(rows?.map((row) => row.payloadLength)).toEqual(texts.map((text) => text.length));
    expect(rows?.every((row) => row.compressed && row.violations.length === 0)).toBe(true);
    for (const i of [39, 0, 17, 18, 2]) expect(await textOf(plane, session, i)).toBe(texts[i]);
  });

  it('are read at random without starting over each time', async () => {
    const { plane, session, store } = setUp({ extensions: DEFLATE });
    const texts = Array.from({ length: 4000 }, (_, i) => story(i));
    session.frames(...(await compressedFrames(texts)));
    expect(await textOf(plane, session, 3999)).toBe(texts[3999]);
    let read = 0;
    const frameBytes = store.frameBytes.bind(store);
    store.frameBytes = (...args) => (read++, frameBytes(...args));
    for (const i of [3000, 100, 2047, 3998, 1]) expect(await textOf(plane, session, i)).toBe(texts[i]);
    expect(read).toBeLessThan(5 * 260);
  });

  it('stand beside uncompressed ones', async () => {
    const { plane, session } = setUp({ extensions: DEFLATE });
    const [first, second] = await compressedFrames([story(1), story(1)]);
    session.frames(first!, { payload: 'plain' }, second!);
    expect((await plane.messages(session.id, 0, 3))?.map((row) => row.compressed)).toEqual([true, false, true]);
    expect(await textOf(plane, session, 2)).toBe(story(1));
  });

  it('give previews for the first frame of each, for frames that are looked at', async () => {
    const { plane, session } = setUp({ extensions: DEFLATE });
    session.frames(...(await compressedFrames(['first text', 'x'.repeat(500)])), { payload: 'plain' });
    expect(await plane.previews(session.id, [2, 1, 0, 9])).toEqual(
      new Map([
        [0, { encoding: 'utf8', data: 'first text', truncated: false }],
        [1, { encoding: 'utf8', data: 'x'.repeat(160), truncated: true }],
      ]),
    );
  });

  it('that are no DEFLATE data are marked, and what needs their context is null but no violation', async () => {
    const { plane, session } = setUp({ extensions: DEFLATE });
    const [a, b] = await compressedFrames([story(1), story(1)]);
    session.frames(a!, { firstByte: COMPRESSED, payload: Uint8Array.of(0xff, 0xff, 0xff) }, b!);
    expect(await plane.messages(session.id, 0, 3)).toMatchObject([
      { violations: [], payloadLength: story(1).length },
      { violations: ['inflate-failed'], payloadLength: null, preview: null },
      { violations: [], payloadLength: null },
    ]);
    expect(await plane.content(session.id, 1)).toEqual({ bytes: null, why: 'invalid', growing: false });
    expect(await plane.content(session.id, 2)).toEqual({ bytes: null, why: 'needs-history', growing: false });
  });

  it('that point back before the first byte are marked', async () => {
    const { plane, session } = setUp({ extensions: DEFLATE });
    const [, second] = await compressedFrames([story(1), story(1)]);
    session.frames(second!);
    expect(await plane.messages(session.id, 0, 1)).toMatchObject([{ violations: ['inflate-failed'] }]);
  });

  it('of text that are not UTF-8 are marked, binary ones are not', async () => {
    const { plane, session } = setUp({ extensions: `${DEFLATE}; server_no_context_takeover` });
    const wrong = await new PeerDeflate().compress(Uint8Array.of(0x61, 0xc3, 0x28));
    const long = Buffer.from('€'.repeat(60_000));
    const cut = await new PeerDeflate().compress(long.subarray(0, long.length - 1));
    session.frames(
      { firstByte: COMPRESSED, payload: wrong },
      { firstByte: FIN | RSV1 | BINARY, payload: wrong },
      { firstByte: COMPRESSED, payload: await new PeerDeflate().compress(long) },
      { firstByte: COMPRESSED, payload: cut },
    );
    expect((await plane.messages(session.id, 0, 4))?.map((row) => row.violations)).toEqual([
      ['message-invalid-utf8'],
      [],
      [],
      ['message-invalid-utf8'],
    ]);
  });

  it('come whole out of very many fragments, with other frames between them', async () => {
    const { session, plane } = setUp({ extensions: DEFLATE });
    const text = randomBytes(5000).toString('hex');
    const payload = await new PeerDeflate().compress(text);
    const up = 'client-to-server' as const;
    session.frames({ firstByte: RSV1 | TEXT }, { direction: up, firstByte: TEXT });
    for (const [at, byte] of payload.entries()) {
      session.frames(
        { firstByte: CONT, payload: Uint8Array.of(byte) },
        { direction: up, firstByte: CONT, payload: `${at},` },
        { firstByte: FIN | 9, payload: 'between' },
      );
    }
    session.frames({ firstByte: FIN | CONT }, { direction: up, firstByte: FIN | CONT });
    expect(payload.length).toBeGreaterThan(4096);
    expect(await textOf(plane, session, 0)).toBe(text);
    expect(await textOf(plane, session, 1)).toBe([...payload.keys()].map((at) => `${at},`).join(''));
    expect((await plane.content(session.id, 1, 7))?.bytes).toEqual(Uint8Array.from(Buffer.from('0,1,2,3')));
  });

  it('are shown up to 8 MiB, with their true length', async () => {
    const { plane, session } = setUp({ extensions: DEFLATE });
    session.frames({ firstByte: COMPRESSED, payload: deflateRawSync(Buffer.alloc(20 << 20, 'ab')) });
    const content = (await plane.content(session.id, 0)) as MessageContent;
    expect({ shown: content.bytes.length, total: content.totalLength }).toEqual({ shown: 8 << 20, total: 20 << 20 });
    expect((await plane.content(session.id, 0, 10))?.bytes).toHaveLength(10);
  });

  it('of a gigabyte neither fill the memory nor hold up the event loop', { timeout: 60_000 }, async () => {
    const { plane, session } = setUp({ extensions: DEFLATE });
    const megabyte = Buffer.alloc(1 << 20);
    const peer = new PeerDeflate();
    const parts: Buffer[] = [];
    for (let i = 0; i < 1024; i++) parts.push(await peer.compress(megabyte), Buffer.from([0, 0, 255, 255]));
    session.frames({ firstByte: FIN | RSV1 | BINARY, payload: Buffer.concat(parts.slice(0, -1)) });
    const before = process.memoryUsage().rss;
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const content = (await plane.content(session.id, 0)) as MessageContent;
    clearInterval(timer);
    expect(content?.totalLength).toBe(2 ** 30);
    expect(content?.bytes).toHaveLength(8 << 20);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
    expect(longest).toBeLessThan(150);
  });
});

describe('what the message plane remembers', () => {
  it('cannot inflate what needs evicted frames, and finds its way again', async () => {
    const { plane, session, store } = setUp({ extensions: DEFLATE, budgetBytes: 1 << 20 });
    const texts = Array.from({ length: 3000 }, (_, i) => story(i) + randomBytes(400).toString('base64'));
    session.frames(...(await compressedFrames(texts)));
    const held = store.session(session.id)?.firstHeldFrame as number;
    expect(held).toBeGreaterThan(0);
    const rows = (await plane.messages(session.id, 0, 10_000)) ?? [];
    expect(rows).toHaveLength(3000 - held);
    expect(rows.every((row) => row.violations.length === 0)).toBe(true);
    // What it remembers counts as part of the capture, and costs it its oldest frames.
    const [oldest] = (await plane.messages(session.id, 0, 1)) ?? [];
    expect(oldest?.payloadLength).toBeNull();
    expect(await plane.content(session.id, oldest?.index ?? -1)).toEqual({
      bytes: null,
      why: 'needs-history',
      growing: false,
    });
    const inflated = rows.filter((row) => row.payloadLength !== null);
    for (const row of inflated) expect(row.payloadLength).toBe(texts[row.firstFrame]?.length);
  });

  it('reads on from a window that it has kept, where the walk to it met what was evicted', async () => {
    const { plane, session, store } = setUp({ extensions: DEFLATE, budgetBytes: 2 << 20 });
    const texts = Array.from({ length: 6000 }, (_, i) => story(i) + randomBytes(200).toString('base64'));
    const frames = await compressedFrames(texts);
    // Somebody looks at the newest while they come.
    for (let i = 0; i < frames.length; i += 100) {
      session.frames(...frames.slice(i, i + 100));
      await plane.content(session.id, i + 99);
    }
    const held = store.session(session.id)?.firstHeldFrame as number;
    expect(held).toBeGreaterThan(0);
    const filter = parseFilter('text:"message"');
    const found: number[] = [];
    for (let from: number = held; from < texts.length;) {
      const page = await plane.search(session.id, filter, { from, limit: 500 });
      found.push(...(page?.rows ?? []).map((row) => row.index));
      from = page?.next ?? texts.length;
    }
    const firstFound = found[0] as number;
    expect(firstFound).toBeLessThan(held + 600);
    expect(found).toEqual(Array.from({ length: 6000 - firstFound }, (_, i) => firstFound + i));
    expect(await textOf(plane, session, firstFound)).toBe(texts[firstFound]);
  });

  it('finds its way again with the first message that needs nothing before it', async () => {
    const { plane, session, store } = setUp({ extensions: DEFLATE });
    const before = await compressedFrames([story(1), story(1)]);
    const after = await compressedFrames([story(2), story(2), story(3)]);
    store.setRecording(false);
    session.frames(before[0]!);
    store.setRecording(true);
    session.frames(before[1]!, ...after);
    expect((await plane.messages(session.id, 0, 9))?.map((row) => [row.payloadLength, row.violations.length])).toEqual([
      [null, 0],
      [story(2).length, 0],
      [story(2).length, 0],
      [story(3).length, 0],
    ]);
  });

  it('keeps message numbers when the oldest frames go', async () => {
    const { plane, session, store } = setUp({ budgetBytes: 1 << 20 });
    const text = 'x'.repeat(1000);
    for (let i = 0; i < 300; i++) session.frames({ payload: `${i} ${text}` });
    const early = await plane.messages(session.id, 250, 1);
    for (let i = 300; i < 1100; i++) {
      session.frames({ payload: `${i} ${text}` });
      if (i % 100 === 0) await plane.messages(session.id, 0, 1);
    }
    const held = store.session(session.id)?.firstHeldFrame as number;
    expect(held).toBeGreaterThan(250);
    expect(early).toMatchObject([{ index: 250, firstFrame: 250 }]);
    expect(await plane.content(session.id, 250)).toBeUndefined();
    expect(await plane.messages(session.id, 0, 1)).toMatchObject([{ index: held, firstFrame: held }]);
    expect(await textOf(plane, session, 1099)).toBe(`1099 ${text}`);
  });

  it('keeps message numbers while it does not remember the session, and gives none twice', async () => {
    let nowMs = 0;
    const { store, session } = setUp({ budgetBytes: 1 << 20 });
    const plane = new MessagePlane(store, { nowMs: () => nowMs });
    const text = 'x'.repeat(500);
    const talk = (from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        session.frames(
          { direction: 'client-to-server', firstByte: TEXT, payload: `ask ${i} ` },
          { payload: `${i} ${text}` },
          { direction: 'client-to-server', firstByte: FIN | CONT, payload: text },
          { firstByte: FIN | 9 },
        );
      }
    };
    const numbers = async (): Promise<Map<number, number>> =>
      new Map((await plane.messages(session.id, 0, 9999))?.map(({ firstFrame, index }) => [firstFrame, index]));
    const letGo = (): void => {
      nowMs += 60_000;
      plane.makeRoom();
    };
    talk(0, 500);
    const early = await numbers();
    expect([early.get(0), early.get(4)]).toEqual([0, 2]);
    for (const from of [500, 700, 900]) {
      talk(from, from + 200);
      letGo();
      const now = await numbers();
      const held = store.session(session.id)?.firstHeldFrame as number;
      expect(held).toBeGreaterThan(0);
      expect(now.size).toBeGreaterThan(500);
      for (const [frame, number] of now) expect(number).toBe((frame - (frame % 4)) / 2 + (frame % 4));
    }
    // So much comes unseen that nothing is left of what was numbered.
    letGo();
    talk(1100, 4100);
    const late = await numbers();
    expect(late.get(4 * 4099)).toBe(2 * 4099);
    for (const [frame, number] of late) expect(number).toBe((frame - (frame % 4)) / 2 + (frame % 4));
    expect(Math.min(...late.values())).toBeGreaterThan(2200);
    expect(await plane.content(session.id, 2199)).toBeUndefined();
  });

  it('does not cost a small capture what it holds', async () => {
    const budgetBytes = 1 << 20;
    const { store, session } = setUp({ extensions: DEFLATE, budgetBytes });
    const plane = new MessagePlane(store, { maxBytes: planeBytes(budgetBytes) });
    const texts = Array.from({ length: 3000 }, (_, i) => story(i) + randomBytes(400).toString('base64'));
    session.frames(...(await compressedFrames(texts)));
    const held = (): number => 3000 - (store.session(session.id)?.firstHeldFrame ?? 3000);
    const before = held();
    for (let time = 0; time < 3; time++) await plane.messages(session.id, 0, 10_000);
    expect(held()).toBe(before);
    expect(plane.costBytes).toBeLessThan(1000);
  });

  it('stays within its bytes over many sessions', async () => {
    const { capture, plane } = setUp({ maxBytes: 3 << 20 });
    for (let i = 0; i < 30; i++) {
      const session = capture.session({ extensions: DEFLATE });
      session.frames(...(await compressedFrames([story(i), story(i)])));
      expect(await plane.messages(session.id, 0, 5)).toHaveLength(2);
      expect(plane.costBytes).toBeLessThanOrEqual(3 << 20);
    }
    expect(plane.costBytes).toBeGreaterThan(1 << 20);
  });

  it('numbers the messages of a session by all that it has recorded, whenever one looks, also after a clear', async () => {
    const capture = new RecordedCapture({ budgetBytes: 4 << 20 });
    const [store, session, other] = [capture.store, capture.session(), capture.session()];
    const firsts: number[] = [];
    let frames = 0;
    const fill = (count: number): void => {
      for (let i = 0; i < count; i++) {
        firsts.push(frames);
        const text = Buffer.alloc(600, String(i));
        if (i % 3 === 0) session.frames({ payload: text });
        else if (i % 3 === 1)
          session.frames({ firstByte: 2, payload: text }, { firstByte: FIN | 9 }, { firstByte: FIN });
        else session.frames({ direction: 'client-to-server', payload: text });
        frames += i % 3 === 1 ? 3 : 1;
        if (i % 5 === 0) other.frames({ payload: text });
      }
    };
    const numbersHold = async (plane: MessagePlane, next: number): Promise<void> => {
      const step = await plane.search(session.id, null, { from: 0, limit: 100_000 });
      expect(step?.end).toBe(next);
      expect(step?.indexes.length).toBeGreaterThan(100);
      for (const { index, firstFrame } of step?.rows ?? []) expect(firstFrame).toBe(firsts[index]);
    };
    const early = new MessagePlane(store);
    fill(9000);
    expect(store.session(session.id)?.firstHeldFrame).toBeGreaterThan(1000);
    await numbersHold(early, 9000);
    fill(300);
    await numbersHold(new MessagePlane(store), 9300);
    // More than are held, and nobody has looked meanwhile.
    fill(9000);
    await numbersHold(early, 18_300);
    early.forgetAll();
    await numbersHold(early, 18_300);
    store.clear();
    fill(200);
    await numbersHold(early, 18_500);
    store.deleteSession(session.id);
    fill(200);
    await numbersHold(early, 18_700);
  });

  it('is a part of the capture, within its budget', async () => {
    const budgetBytes = 4 << 20;
    const { capture, store, plane } = setUp({ budgetBytes, maxBytes: planeBytes(budgetBytes) });
    for (let i = 0; i < 12; i++) {
      const session = capture.session({ extensions: DEFLATE });
      session.frames(...(await compressedFrames([story(i), story(i)])));
      session.frames({ payload: 'x'.repeat(400_000) });
      const before = store.usedBytes - plane.costBytes;
      expect(await plane.messages(session.id, 0, 5)).toHaveLength(3);
      expect(store.status().memory.usedBytes).toBeLessThanOrEqual(budgetBytes);
      expect(store.usedBytes - plane.costBytes).toBeLessThanOrEqual(before + 20_000);
    }
    expect(plane.costBytes).toBeGreaterThan(100_000);
    expect(plane.costBytes).toBeLessThanOrEqual(planeBytes(budgetBytes));
    const used = store.usedBytes;
    const { costBytes } = plane;
    plane.close();
    expect(store.usedBytes).toBe(used - costBytes);
  });

  it('is let go when the capture needs room, unless somebody has asked for it lately', async () => {
    let nowMs = 0;
    const capture = new RecordedCapture({ budgetBytes: 4 << 20 });
    const plane = new MessagePlane(capture.store, { nowMs: () => nowMs });
    const [idle, asked, busy] = [capture.session(), capture.session(), capture.session()];
    for (const session of [idle, asked]) {
      session.frames({ payload: 'here' });
      expect(await plane.messages(session.id, 0, 1)).toHaveLength(1);
      nowMs += 6000;
    }
    const both = plane.costBytes;
    const fill = (): void => {
      for (let i = 0; i < 200; i++) busy.frames({ payload: Buffer.alloc(100_000) });
    };
    fill();
    expect(plane.costBytes).toBe(both / 2);
    nowMs += 6000;
    fill();
    expect(plane.costBytes).toBe(0);
  });

  it('stays for longer where it alone can inflate what is left of a session', async () => {
    let nowMs = 0;
    const capture = new RecordedCapture({ budgetBytes: 4 << 20 });
    const plane = new MessagePlane(capture.store, { nowMs: () => nowMs });
    const session = capture.session({ extensions: DEFLATE });
    const texts = Array.from({ length: 3000 }, (_, i) => story(i) + randomBytes(400).toString('base64'));
    session.frames(...(await compressedFrames(texts)));
    expect(await textOf(plane, session, 2999)).toBe(texts[2999]);
    const busy = capture.session();
    const flood = (count: number): void => {
      for (let i = 0; i < count; i++) busy.frames({ payload: Buffer.alloc(10_000) });
    };
    nowMs += 60_000;
    flood(250);
    expect(capture.store.session(session.id)?.firstHeldFrame).toBeGreaterThan(0);
    expect(await textOf(plane, session, 2999)).toBe(texts[2999]);
    const kept = plane.costBytes;
    nowMs += 3_600_000;
    flood(100);
    expect(plane.costBytes).toBeLessThan(kept / 10);
  });

  it('is given up with a deleted session and with a new epoch', async () => {
    const { capture, session, store, plane } = setUp();
    session.frames({ payload: 'gone soon' });
    await plane.messages(session.id, 0, 1);
    session.record.closed();
    store.deleteSession(session.id);
    expect(await plane.messages(session.id, 0, 1)).toBeUndefined();
    expect(plane.costBytes).toBe(0);
    const other = capture.session().frames({ payload: 'here' });
    expect(await plane.messages(other.id, 0, 1)).toHaveLength(1);
    store.clear();
    expect(await plane.messages(other.id, 0, 1)).toEqual([]);
    other.frames({ payload: 'after' });
    expect(await plane.messages(other.id, 0, 5)).toMatchObject([{ firstFrame: 1, preview: { data: 'after' } }]);
  });

  it('answers askers who come at the same time as if they came one after another', async () => {
    const { plane, session } = setUp({ extensions: DEFLATE });
    const texts = Array.from({ length: 600 }, (_, i) => story(i));
    session.frames(...(await compressedFrames(texts)));
    const order = [599, 3, 300, 301, 12, 580];
    const read = await Promise.all(order.map((i) => textOf(plane, session, i)));
    expect(read).toEqual(order.map((i) => texts[i]));
  });
});
