import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/capture/filter.ts';
import { searchSteps } from '../../src/capture/frame-search.ts';
import { MessagePlane } from '../../src/capture/message-plane.ts';
import type { MessageStretch } from '../../src/capture/message-reader.ts';
import { PeerDeflate } from '../helpers/peer-deflate.ts';
import { FIN, RecordedCapture, RSV1 } from '../helpers/recorded-capture.ts';

function setUp(options: { extensions?: string; budgetBytes?: number } = {}) {
  const capture = new RecordedCapture(options);
  const plane = new MessagePlane(capture.store);
  const session = capture.session(options);
  /** Indexes of all messages that pass, step by step. */
  const found = async (filter: string, stretch: Partial<MessageStretch> = {}): Promise<number[]> => {
    const indexes: number[] = [];
    for (let from = stretch.from ?? 0; ;) {
      const limit = (stretch.limit ?? Infinity) - indexes.length;
      const step = await plane.search(session.id, parseFilter(filter), { ...stretch, from, limit });
      if (step === undefined) throw new Error('no such session');
      indexes.push(...step.rows.map(({ index }) => index));
      if (step.next >= step.end || indexes.length === stretch.limit) return indexes;
      from = step.next;
    }
  };
  return { capture, plane, session, found };
}

describe('a search among messages', () => {
  it('of a session that does not exist finds nothing to search', async () => {
    const { plane } = setUp();
    expect(await plane.search('99', parseFilter('x'), { from: 0, limit: 1 })).toBeUndefined();
  });

  it('looks at what the frames of a message make together', async () => {
    const { session, found } = setUp();
    session.frames(
      { firstByte: 1, payload: '{"greeting":"he' },
      { direction: 'client-to-server', payload: 'between' },
      { firstByte: FIN | 9, payload: 'ping' },
      { firstByte: FIN, payload: 'llo"}' },
      { firstByte: FIN | 2, payload: Uint8Array.of(1, 2, 3) },
    );
    expect(await found('')).toEqual([0, 1, 2]);
    expect(await found('hello')).toEqual([0]);
    expect(await found('json.greeting=hello')).toEqual([0]);
    expect(await found('text~/^.{15}llo/')).toEqual([0]);
    expect(await found('not hello')).toEqual([1, 2]);
    expect(await found('len=20')).toEqual([0]);
    expect(await found('dir:up')).toEqual([1]);
    expect(await found('is:fragmented')).toEqual([0]);
    expect(await found('op:binary or op:control')).toEqual([2]);
  });

  it('counts the marks of every frame of a message, and who made them', async () => {
    const { session, found } = setUp();
    session.frames({ firstByte: 1, payload: 'a' }, { firstByte: FIN | RSV1, payload: 'b' }, { payload: 'fine' });
    expect(await found('is:violated')).toEqual([0]);
    expect(await found('violation:rsv-without-extension')).toEqual([0]);
    expect(await found('is:injected')).toEqual([]);
  });

  it('knows compressed messages by what they come to', async () => {
    const { session, found } = setUp({ extensions: 'permessage-deflate' });
    const peer = new PeerDeflate();
    for (let i = 0; i < 700; i++) {
      const payload = await peer.compress(`{"number":${i},"words":"the same again and again"}`);
      session.frames(
        { firstByte: RSV1 | 1, payload: payload.subarray(0, 4) },
        { firstByte: FIN, payload: payload.subarray(4) },
      );
    }
    session.frames({ firstByte: FIN | RSV1 | 1, payload: Uint8Array.of(0xff) }, { payload: 'plain' });
    expect(await found('json.number>=697')).toEqual([697, 698, 699]);
    expect(await found('len=48', { limit: 2 })).toEqual([10, 11]);
    expect(await found('is:compressed', { from: 698 })).toEqual([698, 699, 700]);
    expect(await found('is:violated')).toEqual([700]);
    expect(await found('violation:inflate-failed')).toEqual([700]);
    expect(await found('not len>0')).toEqual([700]);
  });

  it('knows what is wrong with a message also once it has been inflated', async () => {
    const { session, found } = setUp({ extensions: 'permessage-deflate; server_no_context_takeover' });
    session.frames(
      { firstByte: FIN | RSV1 | 1, payload: await new PeerDeflate().compress(Uint8Array.of(0xff)) },
      { firstByte: FIN | RSV1 | 1, payload: await new PeerDeflate().compress('fine') },
    );
    for (let time = 0; time < 3; time++) {
      expect(await found('is:violated')).toEqual([0]);
      expect(await found('violation:message-invalid-utf8')).toEqual([0]);
      expect(await found('not is:violated')).toEqual([1]);
    }
  });

  it('says of a message that comes whole during the search that it was growing', async () => {
    const { session, plane, found } = setUp();
    session.frames({ firstByte: 1, payload: 'need' });
    for (let i = 0; i < 200; i++) session.frames({ direction: 'client-to-server', payload: `${'a'.repeat(18)}!` });
    // A pattern that gives others their turn before it has looked at all.
    const searched = plane.search(session.id, parseFilter('text~/^(a+)+$/ or needle'), { from: 0, limit: 9 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    session.frames({ firstByte: FIN, payload: 'le' });
    const step = await searched;
    expect([step?.rows.length, step?.growing]).toEqual([0, [0]]);
    expect(await found('needle')).toEqual([0]);
  });

  it('counts what it could not look into, once over all steps, and only where it had to', async () => {
    const {
      session,
      plane,
      capture: { store },
    } = setUp({ extensions: 'permessage-deflate', budgetBytes: 1 << 20 });
    const peer = new PeerDeflate();
    for (let i = 0; i < 4000; i++) {
      const payload = await peer.compress(`${i} ${randomBytes(200).toString('base64')}`);
      session.frames({ firstByte: FIN | RSV1 | 1, payload });
    }
    session.frames({ firstByte: FIN | RSV1 | 1, payload: Uint8Array.of(0xff, 0xff, 0xff) }, { payload: 'plain' });
    const count = async (filter: string): Promise<[passed: number, unreadable: number]> => {
      let [passed, unreadable] = [0, 0];
      for (let from = 0; ;) {
        const step = await plane.search(session.id, parseFilter(filter), { from, limit: 100 });
        passed += step?.rows.length ?? 0;
        unreadable += step?.unreadable ?? 0;
        if (step === undefined || step.next >= step.end) return [passed, unreadable];
        from = step.next;
      }
    };
    // What the search itself remembers costs the capture its oldest frames: the second time it is there already.
    await count('text~/ /');
    const [passed, unreadable] = await count('text~/ /');
    const held = 4001 - (store.session(session.id)?.firstHeldFrame ?? 0);
    expect(unreadable).toBeGreaterThan(100);
    expect(passed + unreadable).toBe(held - 1);
    expect(await count('dir:up text:x')).toEqual([0, 0]);
    const frames = { passed: 0, unreadable: 0 };
    for await (const step of searchSteps({ reader: store, messages: plane }, session.id, parseFilter('text~/ /'))) {
      frames.passed += step.indexes.length;
      frames.unreadable += step.unreadable.length;
    }
    expect(frames).toEqual({ passed, unreadable });
  });

  it('keeps to a stretch of messages or of frames, and goes on where it stopped', async () => {
    const { session, found, plane } = setUp();
    for (let i = 0; i < 5000; i++) session.frames({ firstByte: 1, payload: `${i}` }, { firstByte: FIN, payload: ' x' });
    expect(await found('text~/^\\d00 x$/')).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(await found('x', { from: 7, to: 10 })).toEqual([7, 8, 9]);
    expect(await found('', { frames: { from: 11, to: 17 } })).toEqual([6, 7, 8]);
    expect(await found('7', { frames: { from: 9998, to: Infinity } })).toEqual([]);
    const step = await plane.search(session.id, parseFilter('7'), { from: 0, limit: 3 });
    expect(step).toMatchObject({ rows: [{ index: 7 }, { index: 17 }, { index: 27 }], next: 37, first: 0, end: 5000 });
  });

  it('does not call unreadable what has only not come yet', async () => {
    const {
      session,
      plane,
      capture: { store },
    } = setUp();
    session.bytes('server-to-client', Buffer.from('8105', 'hex'));
    const step = await plane.search(session.id, parseFilter('hello'), { from: 0, limit: 9 });
    expect(step).toMatchObject({ growing: [0], unreadable: 0 });
    for await (const one of searchSteps({ reader: store, messages: plane }, session.id, parseFilter('hello')))
      expect(one).toMatchObject({ growing: [0], unreadable: [] });
  });

  it('tells which messages are still coming in', async () => {
    const { session, plane } = setUp();
    const growing = async (): Promise<readonly number[] | undefined> =>
      (await plane.search(session.id, parseFilter('gone'), { from: 0, limit: 9 }))?.growing;
    session.frames({ payload: 'whole' }, { firstByte: 1, payload: 'be' });
    expect(await growing()).toEqual([1]);
    session.frames({ direction: 'client-to-server', firstByte: 1, payload: 'al' });
    expect(await growing()).toEqual([1, 2]);
    session.frames({ firstByte: FIN, payload: 'gun' });
    expect(await growing()).toEqual([2]);
    session.frames({ direction: 'client-to-server', firstByte: FIN, payload: 'so' });
    expect(await growing()).toEqual([]);
  });

  it('ends with an error where a regular expression takes too long', async () => {
    const { session, plane } = setUp();
    session.frames({ payload: `${'a'.repeat(40)}!` });
    const wrong = parseFilter('text~/^(a+)+$/');
    await expect(plane.search(session.id, wrong, { from: 0, limit: 1 })).rejects.toThrow(/took over 100 ms/);
  });
});
