import protobufjs from 'protobufjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiError } from '../../src/contract/api.ts';
import type { DecodedFrame } from '../../src/contract/decoded.ts';
import { PROTO_LIMITS, type LoadedProtos } from '../../src/contract/protos.ts';
import { putProtos, startRig, type Rig } from '../helpers/dashboard-rig.ts';
import { FIN, type TestFrame } from '../helpers/recorded-capture.ts';

const CHAT = `syntax = "proto3";
package chat;
message Line { int64 room = 1; string text = 2; }
message Login { string user = 1; string password = 2; }`;

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.stop());

const remove = (query = ''): Promise<Response> => rig.get(`/api/protos${query}`, { method: 'DELETE' });
const namesOf = async (): Promise<string[]> =>
  ((await rig.json('/api/protos')) as LoadedProtos).files.map(({ name }) => name);
const errorOf = async (response: Response): Promise<ApiError['error']> => ((await response.json()) as ApiError).error;
const line = (value: Record<string, unknown>, direction: TestFrame['direction'] = 'server-to-client'): TestFrame => ({
  firstByte: FIN | 2,
  direction,
  payload: protobufjs.parse(CHAT).root.lookupType('chat.Line').encode(value).finish(),
});

describe('/api/protos', () => {
  it('lists, loads, replaces and removes files', async () => {
    expect(await rig.json('/api/protos')).toEqual({ files: [] });
    const loaded = await putProtos(rig, { 'chat.proto': CHAT, 'b/other.proto': 'message Other {}' });
    expect(loaded.status).toBe(200);
    const other = { name: 'b/other.proto', bytes: 16, messages: ['Other'] };
    const chat = { name: 'chat.proto', bytes: CHAT.length, messages: ['chat.Line', 'chat.Login'] };
    expect(await loaded.json()).toEqual({ files: [other, chat] });
    await putProtos(rig, { 'chat.proto': 'message New {}' });
    expect(await rig.json('/api/protos')).toEqual({
      files: [other, { name: 'chat.proto', bytes: 14, messages: ['New'] }],
    });
    const left = await remove(`?name=${encodeURIComponent('b/other.proto')}`);
    expect(((await left.json()) as LoadedProtos).files.map(({ name }) => name)).toEqual(['chat.proto']);
    expect((await remove('?name=b/other.proto')).status).toBe(404);
    expect(await (await remove()).json()).toEqual({ files: [] });
  });

  it('says in which file and line a text is wrong, and keeps what is loaded', async () => {
    await putProtos(rig, { 'chat.proto': CHAT });
    const wrong = await putProtos(rig, { 'a.proto': 'message A {}', 'wrong.proto': 'message B {\n  strng c = 1;\n}' });
    expect(wrong.status).toBe(400);
    const error = await errorOf(wrong);
    expect(error).toMatchObject({ code: 'invalid-proto', file: 'wrong.proto', line: 2 });
    expect(error.message).toMatch(/^wrong\.proto, line 2: expected a declaration, but found "strng"/);
    expect(await namesOf()).toEqual(['chat.proto']);
  });

  it('removes no file that another one needs', async () => {
    await putProtos(rig, {
      'a.proto': 'import "b.proto";\nmessage A { optional B b = 1; }',
      'b.proto': 'message B {}',
    });
    const refused = await remove('?name=b.proto');
    expect(refused.status).toBe(400);
    expect(await errorOf(refused)).toMatchObject({ code: 'invalid-proto', file: 'a.proto', line: 2 });
    expect(await namesOf()).toEqual(['a.proto', 'b.proto']);
  });

  it('takes files of a megabyte, and no more', async () => {
    const big = (bytes: number): string => `message Big {} // "${'x'.repeat(bytes - 19)}"`.slice(0, bytes);
    expect((await putProtos(rig, { 'big.proto': big(PROTO_LIMITS.fileBytes) })).status).toBe(200);
    const bigger = await putProtos(rig, { 'bigger.proto': big(PROTO_LIMITS.fileBytes + 1) });
    expect(await errorOf(bigger)).toMatchObject({ code: 'invalid-proto', file: 'bigger.proto' });
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`${i}`, ' '.repeat(PROTO_LIMITS.fileBytes)]));
    expect((await putProtos(rig, many)).status).toBe(413);
    expect(await namesOf()).toEqual(['big.proto']);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['no files', '{"files":[]}'],
    ['too many files', JSON.stringify({ files: Array(PROTO_LIMITS.files + 1).fill({ name: 'a', text: '' }) })],
    ['a file without text', '{"files":[{"name":"a.proto"}]}'],
    ['a name that is none', '{"files":[{"name":"a\\nb","text":""}]}'],
    ['something more', '{"files":[{"name":"a","text":""}],"more":1}'],
  ])('refuses %s', async (_, body) => {
    const headers = { 'content-type': 'application/json' };
    const refused = await rig.get('/api/protos', { method: 'PUT', headers, body });
    expect(refused.status).toBe(400);
    expect(await errorOf(refused)).toMatchObject({ code: 'invalid-parameter' });
  });

  it('wants the token, and no page of another origin', async () => {
    const { port } = rig.dashboard;
    const host = `Host: 127.0.0.1:${port}`;
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const stranger = await rig.raw({ target: '/api/protos', method, headers: [host, 'Content-Length: 0'] });
      expect(stranger.status).toBe(401);
    }
    const origin = 'https://evil.example';
    expect((await rig.get('/api/protos', { method: 'DELETE', headers: { origin } })).status).toBe(403);
  });
});

describe('GET …/decoded with types that are loaded', () => {
  const decoded = async (id: string, index: number, as = ''): Promise<DecodedFrame> =>
    (await rig.json(`/api/sessions/${id}/frames/${index}/decoded${as && `?as=${as}`}`)) as DecodedFrame;

  it('names the fields of the type that fits', async () => {
    const { id } = rig.capture.session().frames(line({ room: 5, text: 'hello there' }));
    expect((await decoded(id, 0)).name).toBe('protobuf');
    await putProtos(rig, { 'chat.proto': CHAT });
    expect(await decoded(id, 0)).toMatchObject({
      name: 'protobuf:chat.Line',
      value: { room: 5, text: 'hello there' },
      asked: false,
      kept: null,
    });
    expect((await decoded(id, 0)).candidates.map(({ name }) => name)).toContain('protobuf');
    await remove();
    expect((await decoded(id, 0)).name).toBe('protobuf');
  });

  it('keeps to the type that was asked for, for this URL and direction', async () => {
    await putProtos(rig, { 'chat.proto': CHAT });
    const up = line({ text: 'up' }, 'client-to-server');
    const { id } = rig.capture.session().frames(line({ room: 5, text: 'a' }), line({ room: 6, text: 'b' }), up);
    const asked = await decoded(id, 0, 'protobuf:chat.Login');
    expect(asked).toMatchObject({ name: 'protobuf:chat.Login', asked: true, kept: 'protobuf:chat.Login' });
    expect(asked.value).toEqual({ password: 'a', $unknown: [{ field: 1, wire: 'varint', value: 5 }] });
    expect(await decoded(id, 1)).toMatchObject({ name: 'protobuf:chat.Login', value: { password: 'b' } });
    expect((await decoded(id, 2)).kept).toBeNull();
    expect(await decoded(id, 1, 'auto')).toMatchObject({ name: 'protobuf:chat.Line', kept: null });
  });

  it('says what is kept also where it cannot read the message, or is gone', async () => {
    await putProtos(rig, { 'chat.proto': CHAT });
    const { id } = rig.capture.session().frames(line({ room: 5, text: 'hello there' }), { payload: 'plain text' });
    await decoded(id, 0, 'protobuf:chat.Line');
    expect(await decoded(id, 1)).toMatchObject({ name: 'text', asked: false, kept: 'protobuf:chat.Line' });
    await remove();
    expect(await decoded(id, 0)).toMatchObject({ name: 'protobuf', asked: false, kept: 'protobuf:chat.Line' });
  });

  it('reads a message of which only a part is here as far as it goes', async () => {
    await putProtos(rig, { 'chat.proto': CHAT });
    const whole = line({ room: 5, text: 'hello there' }).payload as Uint8Array;
    const { id } = rig.capture.session().frames({ firstByte: 2, payload: whole.subarray(0, -3) });
    expect(await decoded(id, 0, 'protobuf:chat.Line')).toMatchObject({ value: { room: 5 }, whole: false });
  });

  it('refuses types that are not loaded', async () => {
    await putProtos(rig, { 'chat.proto': CHAT });
    const { id } = rig.capture.session().frames(line({ room: 5 }));
    for (const as of ['protobuf:chat.None', 'protobuf:', 'protobuf:a-b', 'protobuf:__proto__']) {
      const refused = await rig.get(`/api/sessions/${id}/frames/0/decoded?as=${as}`);
      expect(refused.status).toBe(400);
      expect(await errorOf(refused)).toMatchObject({ code: 'invalid-parameter' });
    }
  });
});
