import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FramePartner } from '../../src/contract/decoded.ts';
import { startRig, type Rig } from '../helpers/dashboard-rig.ts';
import { PeerDeflate } from '../helpers/peer-deflate.ts';
import { FIN, RSV1, type RecordedSession, type TestFrame } from '../helpers/recorded-capture.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

const up = (payload: string): TestFrame => ({ payload, direction: 'client-to-server' });
const down = (payload: string): TestFrame => ({ payload });
const partnerOf = async ({ id }: RecordedSession, index: number): Promise<FramePartner> =>
  (await rig.json(`/api/sessions/${id}/frames/${index}/partner`)) as FramePartner;

describe('GET /api/sessions/:id/frames/:index/partner', () => {
  it('links request and answer both ways, with the time between them', async () => {
    const session = rig.capture.session();
    session.frames(
      up('{"jsonrpc":"2.0","id":1,"method":"subscribe"}'),
      up('{"jsonrpc":"2.0","id":2,"method":"balance"}'),
      { firstByte: FIN | 9, payload: 'beat' },
      down('{"jsonrpc":"2.0","id":2,"result":"12.50"}'),
      down('{"jsonrpc":"2.0","id":1,"result":true}'),
    );
    const rows = rig.capture.store.frames(session.id, 0, 10) ?? [];
    const between = (a: number, b: number): number =>
      (Number(rows[b]?.time.slice(-7, -1)) - Number(rows[a]?.time.slice(-7, -1))) / 1000;
    expect(await partnerOf(session, 1)).toEqual({
      role: 'request',
      protocol: 'json',
      frame: 3,
      message: 2,
      latencyMs: between(1, 3),
    });
    expect(between(1, 3)).toBeGreaterThan(0);
    expect(await partnerOf(session, 4)).toMatchObject({ role: 'answer', frame: 0, latencyMs: between(0, 4) });
    expect(await partnerOf(session, 0)).toMatchObject({ role: 'request', frame: 4 });
  });

  it('keeps the ids of the two directions apart, and takes the nearest where an id is used again', async () => {
    const session = rig.capture.session();
    session.frames(
      up('{"id":1,"method":"first"}'),
      down('{"id":1,"method":"ask back"}'),
      up('{"id":1,"result":"to the server"}'),
      down('{"id":1,"result":"first answer"}'),
      up('{"id":1,"method":"again"}'),
      down('{"id":1,"result":"second answer"}'),
    );
    const partners = await Promise.all([0, 1, 2, 3, 4, 5].map((index) => partnerOf(session, index)));
    expect(partners.map(({ frame }) => frame)).toEqual([3, 2, 1, 0, 5, 4]);
  });

  it('finds an answer in a compressed message that came in fragments', async () => {
    const session = rig.capture.session({
      extensions: 'permessage-deflate',
      url: 'wss://chat.example/socket.io/?EIO=4&transport=websocket',
    });
    const deflate = new PeerDeflate();
    const noise = await deflate.compress('42["noise",{"some":"thing"}]');
    const answer = await deflate.compress('437[{"some":"answer"}]');
    session.frames(
      up('427["question",{"some":"thing"}]'),
      { firstByte: FIN | RSV1 | 1, payload: noise },
      { firstByte: RSV1 | 1, payload: answer.subarray(0, 4) },
      { firstByte: FIN, payload: answer.subarray(4) },
    );
    expect(await partnerOf(session, 0)).toMatchObject({ protocol: 'socket.io', role: 'request', frame: 2 });
    expect(await partnerOf(session, 3)).toMatchObject({ role: 'answer', frame: 0 });
  });

  it('looks over pages of other messages, but not without end', async () => {
    const session = rig.capture.session({ subprotocol: 'graphql-transport-ws' });
    const next = (n: number): string => `{"id":"other","type":"next","payload":{"n":${n}}}`;
    session.frames(up('{"id":"near","type":"subscribe","payload":{"query":"{ a }"}}'));
    session.frames(up('{"id":"far","type":"subscribe","payload":{"query":"{ a }"}}'));
    session.frames(...Array.from({ length: 350 }, (_, n) => down(next(n))));
    session.frames(down('{"id":"near","type":"complete"}'));
    session.frames(...Array.from({ length: 2_000 }, (_, n) => down(next(n))));
    session.frames(down('{"id":"far","type":"complete"}'));
    expect(await partnerOf(session, 0)).toMatchObject({ frame: 352 });
    expect(await partnerOf(session, 352)).toMatchObject({ frame: 0 });
    expect(await partnerOf(session, 1)).toMatchObject({ role: 'request', protocol: 'graphql-ws', frame: null });
  });

  it('says nothing of what does not pair', async () => {
    const session = rig.capture.session();
    session.frames(down('{"price":3}'), { firstByte: FIN | 9, payload: 'beat' }, { firstByte: FIN | 2, payload: '' });
    for (const index of [0, 1, 2]) expect(await partnerOf(session, index)).toMatchObject({ role: null, frame: null });
    expect((await rig.get(`/api/sessions/${session.id}/frames/9/partner`)).status).toBe(404);
    expect((await rig.get('/api/sessions/99999/frames/0/partner')).status).toBe(404);
  });
});
