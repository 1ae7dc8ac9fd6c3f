import { encode } from '@msgpack/msgpack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRig, type Rig } from '../helpers/dashboard-rig.ts';
import { PeerDeflate } from '../helpers/peer-deflate.ts';
import { FIN, RSV1 } from '../helpers/recorded-capture.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

describe('GET /api/sessions/:id/frames/:index/decoded', () => {
  it('decodes the whole inflated message that a frame belongs to', async () => {
    const session = rig.capture.session({ extensions: 'permessage-deflate' });
    const payload = await new PeerDeflate().compress('{"op":"subscribe","n":1234567890123456789}');
    session.frames(
      { firstByte: RSV1 | 1, payload: payload.subarray(0, 5) },
      { firstByte: FIN | 9, payload: 'beat' },
      { firstByte: FIN, payload: payload.subarray(5) },
    );
    for (const index of [0, 2]) {
      expect(await rig.json(`/api/sessions/${session.id}/frames/${index}/decoded`)).toMatchObject({
        name: 'json',
        value: { op: 'subscribe', n: { $number: '1234567890123456789' } },
        decodedBytes: 42,
        whole: true,
      });
    }
    expect(await rig.json(`/api/sessions/${session.id}/frames/1/decoded`)).toMatchObject({
      name: 'text',
      value: 'beat',
    });
  });

  it('keeps to the decoder that was asked for, for this URL and direction, until told otherwise', async () => {
    const session = rig.capture.session({ url: 'wss://sticky.example/' });
    const binary = { firstByte: FIN | 2, payload: encode({ a: 1, b: 'two' }) };
    session.frames(binary, binary, { ...binary, direction: 'client-to-server' });
    const nameOf = async (index: number, as = ''): Promise<string> =>
      ((await rig.json(`/api/sessions/${session.id}/frames/${index}/decoded${as}`)) as { name: string }).name;
    expect(await nameOf(0)).toBe('msgpack');
    expect(await nameOf(0, '?as=hex')).toBe('hex');
    expect(await nameOf(1)).toBe('hex');
    expect(await nameOf(2)).toBe('msgpack');
    expect(await nameOf(1, '?as=auto')).toBe('msgpack');
    expect(await nameOf(0)).toBe('msgpack');
    expect((await rig.get(`/api/sessions/${session.id}/frames/0/decoded?as=nothing`)).status).toBe(400);
    expect((await rig.get(`/api/sessions/${session.id}/frames/9/decoded`)).status).toBe(404);
    expect((await rig.get('/api/sessions/999/frames/0/decoded')).status).toBe(404);
  });
});

describe('GET /api/filter/completions', () => {
  it('says what may stand where the cursor is', async () => {
    expect(await rig.json('/api/filter/completions?text=is%3Aopen%20dir%3Aup&cursor=13')).toMatchObject({
      from: 12,
      to: 14,
      options: [{ text: 'up' }],
    });
  });
});
