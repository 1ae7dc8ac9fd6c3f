import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/capture/filter.ts';
import { search, searchSteps, sessionMatches } from '../../src/capture/frame-search.ts';
import { MessagePlane } from '../../src/capture/message-plane.ts';
import { PeerDeflate } from '../helpers/peer-deflate.ts';
import { FIN, RecordedCapture, RSV1, type RecordedSession } from '../helpers/recorded-capture.ts';

function setUp(options: { extensions?: string; url?: string } = {}) {
  const capture = new RecordedCapture();
  const source = { reader: capture.store, messages: new MessagePlane(capture.store) };
  const session = capture.session(options);
  const found = async (filter: string, limits: { from?: number; limit?: number } = {}): Promise<number[]> => {
    const indexes: number[] = [];
    const options = { limit: Infinity, ...limits };
    for await (const row of search(source, session.id, parseFilter(filter), options)) indexes.push(row.index);
    return indexes;
  };
  return { capture, source, session, found };
}

/** Writes `n` frames in chunks, as fast as a test needs them. */
function fill(session: RecordedSession, n: number, payloadOf: (i: number) => string): void {
  for (let i = 0; i < n;) {
    const chunk: Buffer[] = [];
    for (let end = Math.min(n, i + 1000); i < end; i++) {
      const payload = Buffer.from(payloadOf(i));
      chunk.push(Buffer.from([0x81, payload.length]), payload);
    }
    session.bytes('server-to-client', Buffer.concat(chunk));
  }
}

describe('a search', () => {
  it('finds nothing in a session that does not exist', async () => {
    const { source } = setUp();
    const steps = searchSteps(source, '99', parseFilter('x'));
    expect(await steps.next()).toMatchObject({ done: true });
  });

  it('finds frames by columns and by payload, in order, from an index on, up to a limit', async () => {
    const { session, found } = setUp();
    session.frames(
      { payload: 'alpha' },
      { direction: 'client-to-server', payload: 'alpha and beta' },
      { firstByte: FIN | 9, payload: 'alpha' },
      { firstByte: FIN | 2, payload: Uint8Array.of(1, 2, 3) },
      { payload: '{"n":[1,{"deep":true}]}' },
    );
    expect(await found('')).toEqual([0, 1, 2, 3, 4]);
    expect(await found('alpha')).toEqual([0, 1, 2]);
    expect(await found('alpha', { from: 1, limit: 1 })).toEqual([1]);
    expect(await found('dir:up or op:binary or json.n[1].deep=true')).toEqual([1, 3, 4]);
    expect(await found('not text~/^alpha/')).toEqual([3, 4]);
    expect(await found('url:chat op:ping')).toEqual([2]);
    expect(await found('chat op:ping')).toEqual([2]);
    expect(await found('text:chat')).toEqual([]);
    expect(await found('x', { limit: 0 })).toEqual([]);
  });

  it('reads compressed messages inflated, at their first frame', async () => {
    const { session, found } = setUp({ extensions: 'permessage-deflate' });
    const peer = new PeerDeflate();
    for (let i = 0; i < 700; i++) {
      const payload = await peer.compress(`{"number":${i},"words":"the same again"}`);
      session.frames(
        { firstByte: RSV1 | 1, payload: payload.subarray(0, 4) },
        { firstByte: FIN, payload: payload.subarray(4) },
      );
    }
    expect(await found('json.number>=697')).toEqual([1394, 1396, 1398]);
    expect(await found('text~/"number":5\\d,/ is:compressed')).toHaveLength(10);
    expect((await found('same')).length).toBe(700);
  });

  it('says what it has looked at too early, while the session is open', async () => {
    const { session, source } = setUp({ extensions: 'permessage-deflate' });
    const growing = async (): Promise<number[]> => {
      const found: number[] = [];
      for await (const step of searchSteps(source, session.id, parseFilter('late'))) found.push(...step.growing);
      return found;
    };
    const payload = await new PeerDeflate().compress('too late');
    session.frames({ payload: 'whole' }, { firstByte: RSV1 | 1, payload: payload.subarray(0, 4) });
    session.bytes('client-to-server', Buffer.from('818500000000', 'hex'));
    session.bytes('client-to-server', Buffer.from('la'));
    expect(await growing()).toEqual([2, 1]);
    session.bytes('client-to-server', Buffer.from('ter'));
    expect(await growing()).toEqual([1]);
    session.frames({ firstByte: FIN, payload: payload.subarray(4) }, { firstByte: RSV1 | 1, payload: 'x' });
    expect(await growing()).toEqual([4]);
    session.record.closed();
    expect(await growing()).toEqual([]);
  });

  it('finds messages that are wrong', async () => {
    const { session, found } = setUp({ extensions: 'permessage-deflate; server_no_context_takeover' });
    session.frames(
      { firstByte: FIN | RSV1 | 1, payload: Uint8Array.of(0xff) },
      { firstByte: FIN | RSV1 | 1, payload: await new PeerDeflate().compress(Uint8Array.of(0xff)) },
      { firstByte: FIN | RSV1 | 1, payload: await new PeerDeflate().compress('fine') },
    );
    expect(await found('violation:inflate-failed')).toEqual([0]);
    expect(await found('violation:message-invalid-utf8')).toEqual([1]);
  });

  it('tells whether a session matches by a message that no frame holds whole', async () => {
    const { session, source } = setUp();
    const passes = (filter: string): Promise<boolean> =>
      sessionMatches(source, source.reader.session(session.id) ?? expect.unreachable(), parseFilter(filter));
    session.frames({ firstByte: 1, payload: 'need' }, { firstByte: FIN | 9 }, { firstByte: FIN, payload: 'le' });
    expect(await passes('needle')).toBe(true);
    expect(await passes('needle dir:up')).toBe(false);
    expect(await passes('needless')).toBe(false);
  });

  it('tells whether a session matches, by its own words or by a frame', async () => {
    const { capture, source } = setUp();
    const session = capture.session({ url: 'ws://feed.example/x' }).frames({ payload: 'tick' }, { firstByte: FIN | 9 });
    const matches = (filter: string): Promise<boolean> => {
      const summary = capture.store.sessions({ limit: 10 }).find(({ id }) => id === session.id);
      return sessionMatches(source, summary as NonNullable<typeof summary>, parseFilter(filter));
    };
    expect(await matches('feed')).toBe(true);
    expect(await matches('tick')).toBe(true);
    expect(await matches('feed tick op:text')).toBe(true);
    expect(await matches('feed op:ping')).toBe(true);
    expect(await matches('tick op:ping')).toBe(false);
    expect(await matches('tock')).toBe(false);
    expect(await matches('violation:reserved-opcode')).toBe(false);
  });

  it('stops when it is told to', async () => {
    const { source, session } = setUp();
    fill(session, 300_000, (i) => `frame ${i}`);
    const controller = new AbortController();
    const steps = searchSteps(source, session.id, parseFilter('nothing like it'), { signal: controller.signal });
    await steps.next();
    controller.abort();
    const rest = async (): Promise<void> => {
      while ((await steps.next()).done !== true);
    };
    await expect(rest()).rejects.toThrow(/abort/i);
  });

  it('is ended by a regular expression that backtracks for ever', async () => {
    const { session, found } = setUp();
    session.frames({ payload: `${'x'.repeat(60)}y` });
    await expect(found('text~/^(x+)+$/')).rejects.toMatchObject({ code: 'invalid-filter', position: 5 });
  });
});

describe('a search in many frames', () => {
  const { source, session } = setUp();
  fill(session, 200_000, (i) => `{"op":"tick","n":${i},"px":${(i * 7919) % 100_003}}`);

  it.each([
    ['op:ping', 0],
    ['len>10000', 0],
    ['"n\\":199999,"', 1],
    ['text~/"n":19999\\d,/', 10],
    ['json.n>=199990', 10],
  ])('finds them all, and lets others have their turn between its steps: %s', async (filter, expected) => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    let count = 0;
    for await (const step of searchSteps(source, session.id, parseFilter(filter))) count += step.indexes.length;
    clearInterval(timer);
    expect(count).toBe(expected);
    expect(turns).toBeGreaterThan(0);
  });
});
