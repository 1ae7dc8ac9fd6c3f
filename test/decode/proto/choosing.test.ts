import { encode as encodeMsgpack } from '@msgpack/msgpack';
import protobufjs from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { PROTO_LIMITS } from '../../../src/contract/protos.ts';
import { decode, lookAt } from '../../../src/decode/decoder.ts';
import { LoadedTypes } from '../../../src/decode/proto/loaded-types.ts';

const CHAT = `syntax = "proto3";
package chat;
message Login { string user = 1; string password = 2; uint32 version = 3; }
message Line { int64 room = 1; string text = 2; User from = 3; repeated string tags = 4; }
message User { string name = 1; bool admin = 2; }
message Ping { fixed64 at = 1; }
message Pong { fixed64 at = 1; }
message Envelope { oneof body { Login login = 1; Line line = 2; Ping ping = 3; Pong pong = 4; } }`;
const LINE = { room: 5, text: 'Hello there', from: { name: 'Ann', admin: true }, tags: ['a', 'b'] };

async function load(text = CHAT): Promise<LoadedTypes> {
  const types = new LoadedTypes();
  await types.load([{ name: 'chat.proto', text }]);
  return types;
}
const encode = (type: string, value: Record<string, unknown>, text = CHAT): Uint8Array => {
  const Type = protobufjs.parse(text, { keepCase: true }).root.lookupType(type);
  return Type.encode(Type.fromObject(value)).finish();
};
/** What is offered, the surest first. */
const offered = (types: LoadedTypes, bytes: Uint8Array, subprotocol = '', opcode = 2): string[] =>
  lookAt(bytes, { opcode, types, subprotocol }).candidates.map(({ name }) => name);

describe('a message, when types are loaded', () => {
  it.each<[string, Record<string, unknown>]>([
    ['chat.Line', LINE],
    ['chat.Login', { user: 'ann', password: 'secret', version: 3 }],
    ['chat.Envelope', { line: LINE }],
    ['chat.Envelope', { login: { user: 'ann' } }],
  ])('is taken for the one that it fits: %s', async (type, value) => {
    const types = await load();
    const bytes = encode(type, value);
    expect(offered(types, bytes)[0]).toBe(`protobuf:${type}`);
    expect(offered(types, bytes, 'protobuf')[0]).toBe(`protobuf:${type}`);
    expect(decode(bytes, { opcode: 2, types }).name).toBe(`protobuf:${type}`);
    expect(decode(bytes, { opcode: 2 }).name).toBe('protobuf');
  });

  it('is taken for it also by an older file, that does not know all fields', async () => {
    const newer = CHAT.replace('repeated string tags = 4;', 'repeated string tags = 4; int32 likes = 20;');
    const bytes = encode('chat.Line', { ...LINE, likes: 7 }, newer);
    expect(offered(await load(), bytes)[0]).toBe('protobuf:chat.Line');
  });

  it('is taken for none where two fit alike, but both are offered', async () => {
    const names = offered(await load(), encode('chat.Ping', { at: 5 }));
    expect(names[0]).toBe('protobuf');
    expect(names).toEqual(expect.arrayContaining(['protobuf:chat.Ping', 'protobuf:chat.Pong']));
    expect(offered(await load(), encode('chat.Ping', { at: 5 }), 'x-protobuf')[0]).toBe('protobuf');
  });

  it('is rather the type of which more is there, and rather one that is part of no other', async () => {
    const wide = `syntax = "proto3";
      message Wide { int32 a = 1; int32 b = 2; int32 c = 3; int32 d = 4; }
      message Slim { int32 a = 1; }`;
    expect(offered(await load(wide), encode('Slim', { a: 1 }, wide))[0]).toBe('protobuf:Slim');
    const part = `syntax = "proto3";
      message Part { int32 a = 1; }
      message Alone { int32 a = 1; }
      message Tree { Part part = 8; repeated Tree trees = 9; }`;
    expect(offered(await load(part), encode('Alone', { a: 1 }, part))[0]).toBe('protobuf:Alone');
    expect(offered(await load(part), encode('Tree', { trees: [{}] }, part))[0]).toBe('protobuf:Tree');
  });

  it('is not taken for what it does not fit', async () => {
    const types = await load();
    const typed = (bytes: Uint8Array): string[] => offered(types, bytes).filter((name) => name.includes(':'));
    expect(typed(Buffer.from('08ffffff7f 1000 1800 2800 3000'.replaceAll(' ', ''), 'hex'))).toEqual([]);
    expect(typed(Buffer.from('{"room":5,"text":"Hello there"}'))).toEqual([]);
    expect(typed(encodeMsgpack(LINE))).toEqual([]);
    expect(typed(new Uint8Array(0))).toEqual([]);
  });

  it('is text where it came as text', async () => {
    const text = '\n\x05hello';
    expect(offered(await load(), Buffer.from(text), '', 1)[0]).toBe('text');
    expect(lookAt(Buffer.from(text), { opcode: 2, types: await load() }).chosen.name).toBe('protobuf:chat.User');
  });

  it('is decoded by the type that was asked for, even where others fit better', async () => {
    const types = await load();
    const bytes = encode('chat.Line', LINE);
    const hint = 'protobuf:chat.Login';
    const asked = decode(bytes, { opcode: 2, types, hint });
    expect(asked).toMatchObject({
      name: hint,
      value: { password: 'Hello there', $unknown: [{ field: 1 }, { field: 3 }, { field: 4 }, { field: 4 }] },
    });
    const { chosen, candidates: all } = lookAt(bytes, { opcode: 2, types, hint });
    expect(chosen).toEqual(asked);
    expect(all[0]?.name).toBe('protobuf:chat.Line');
    expect(all.find(({ name }) => name === hint)?.score).toBe(asked.score);
    expect(decode(new Uint8Array(0), { opcode: 2, types, hint })).toMatchObject({ name: hint, value: {} });
  });

  it('is decoded by the surest where the type that was asked for is gone, or is not what it is', async () => {
    const types = await load();
    const bytes = encode('chat.Line', LINE);
    expect(decode(bytes, { opcode: 2, types, hint: 'protobuf:no.Such' }).name).toBe('protobuf:chat.Line');
    expect(decode(Buffer.from('[1]'), { opcode: 1, types, hint: 'protobuf:chat.Line' }).name).toBe('json');
    types.removeAll();
    expect(decode(bytes, { opcode: 2, types, hint: 'protobuf:chat.Line' }).name).toBe('protobuf');
  });

  it('is compared with thousands of types, and finds its own', async () => {
    const many = Array.from(
      { length: PROTO_LIMITS.types - 10 },
      (_, i) => `message M${i} { int64 room = 1; string text = 2; bytes b = ${3 + (i % 7)}; int32 n = ${11 + i}; }`,
    );
    const types = await load(`${CHAT}\n${many.join('\n')}`);
    expect(offered(types, encode('chat.Line', LINE))[0]).toBe('protobuf:chat.Line');
    expect(types.list().files[0]?.messages).toHaveLength(PROTO_LIMITS.types - 4);
  });
});
