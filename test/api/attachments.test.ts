import { Encoder, PacketType } from 'socket.io-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FrameAttachments } from '../../src/contract/attachments.ts';
import type { Direction } from '../../src/contract/frame.ts';
import { startRig, type Rig } from '../helpers/dashboard-rig.ts';
import { PeerDeflate } from '../helpers/peer-deflate.ts';
import { FIN, RSV1, type RecordedSession, type TestFrame } from '../helpers/recorded-capture.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

const url = 'wss://chat.example/socket.io/?EIO=4&transport=websocket';
const none: FrameAttachments = { packet: null, count: 0, own: null, found: [] };
const of = async ({ id }: RecordedSession, index: number): Promise<FrameAttachments> =>
  (await rig.json(`/api/sessions/${id}/frames/${index}/attachments`)) as FrameAttachments;

/** The frames that its own library makes of an event with these parts. */
function event(direction: Direction, ...data: unknown[]): TestFrame[] {
  const parts = new Encoder().encode({ type: PacketType.EVENT, nsp: '/files', data: ['upload', ...data] });
  return (parts as (string | Uint8Array)[]).map((part) =>
    typeof part === 'string'
      ? { direction, payload: `4${part}` }
      : { direction, firstByte: FIN | 2, payload: new Uint8Array(part) },
  );
}

describe('GET /api/sessions/:id/frames/:index/attachments', () => {
  it('links a packet and its binary messages both ways, past beats and the other direction', async () => {
    const session = rig.capture.session({ url });
    const [packet, first, second] = event('client-to-server', Buffer.from([1, 2]), { more: Buffer.from([3]) });
    const other = event('server-to-client', Buffer.from([9]));
    session.frames(
      packet as TestFrame,
      { firstByte: FIN | 9, payload: '' },
      ...other,
      first as TestFrame,
      { direction: 'client-to-server', payload: '3' },
      second as TestFrame,
      { direction: 'client-to-server', firstByte: FIN | 2, payload: 'of no packet' },
    );
    const all = {
      packet: { frame: 0, message: 0 },
      count: 2,
      found: [4, 6].map((at) => ({ frame: at, message: at - 1 })),
    };
    expect(await of(session, 0)).toEqual({ ...all, own: null });
    expect(await of(session, 4)).toEqual({ ...all, own: 0 });
    expect(await of(session, 6)).toEqual({ ...all, own: 1 });
    expect(await of(session, 3)).toMatchObject({ packet: { frame: 2 }, count: 1, own: 0 });
    for (const index of [1, 5, 7]) expect(await of(session, index)).toEqual(none);
  });

  it('finds them compressed and in fragments', async () => {
    const session = rig.capture.session({ url, extensions: 'permessage-deflate' });
    const deflate = new PeerDeflate();
    const packet = await deflate.compress('451-["file",{"_placeholder":true,"num":0}]');
    const part = await deflate.compress('a long attachment, a long attachment');
    session.frames(
      { firstByte: FIN | RSV1 | 1, payload: packet },
      { firstByte: RSV1 | 2, payload: part.subarray(0, 3) },
      { firstByte: FIN, payload: part.subarray(3) },
    );
    expect(await of(session, 0)).toMatchObject({ count: 1, found: [{ frame: 1, message: 1 }] });
    expect(await of(session, 2)).toMatchObject({ packet: { frame: 0 }, own: 0 });
  });

  it('names those that have come before another packet, and of many the first', async () => {
    const session = rig.capture.session({ url });
    const binary: TestFrame = { firstByte: FIN | 2, payload: 'x' };
    session.frames({ payload: '453-["cut"]' }, binary, { payload: '42["next"]' }, binary);
    expect(await of(session, 0)).toMatchObject({ count: 3, found: [{ frame: 1 }] });
    expect(await of(session, 3)).toEqual(none);
    const many = rig.capture.session({ url });
    many.frames({ payload: '459999-["many"]' }, ...Array.from({ length: 250 }, () => binary));
    expect(await of(many, 0)).toMatchObject({ count: 9999 });
    expect((await of(many, 0)).found).toHaveLength(100);
    expect(await of(many, 90)).toMatchObject({ packet: { frame: 0 }, own: 89 });
    expect(await of(many, 240)).toEqual(none);
  });

  it('takes nothing else for a packet, and says that a frame is not there', async () => {
    const session = rig.capture.session();
    const texts = ['', '45', '45-[', '4599999-[1]', `451-/${'n'.repeat(5000)},[1]`, '451-{}', '51-[1]', '42["a"]'];
    const binary: TestFrame = { firstByte: FIN | 2, payload: 'x' };
    session.frames(binary, ...texts.flatMap((payload) => [{ payload }, binary]));
    for (let index = 0; index <= 2 * texts.length; index += 1) expect(await of(session, index)).toEqual(none);
    expect((await rig.get(`/api/sessions/${session.id}/frames/99/attachments`)).status).toBe(404);
    expect((await rig.get('/api/sessions/99999/frames/0/attachments')).status).toBe(404);
  });
});
