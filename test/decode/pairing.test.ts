import { Encoder, PacketType } from 'socket.io-parser';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/decode/decoder.ts';
import { pairingsOf, type Pairing } from '../../src/decode/pairing.ts';

const of = (text: string, context: { url?: string; subprotocol?: string } = {}): Pairing[] =>
  pairingsOf(decode(Buffer.from(text), { opcode: 1, ...context }));
const socketIo = (packet: { type: PacketType; nsp: string; data: unknown; id?: number }): Pairing[] =>
  of(`4${String(new Encoder().encode(packet)[0])}`, { url: 'wss://chat.example/socket.io/?EIO=4' });

describe('JSON-RPC', () => {
  it('pairs a request with its result or error by id', () => {
    const key = 'json-rpc 7';
    expect(of('{"jsonrpc":"2.0","id":7,"method":"eth_blockNumber","params":[]}')).toEqual([{ role: 'request', key }]);
    expect(of('{"jsonrpc":"2.0","id":7,"result":"0x134e82a"}')).toEqual([{ role: 'answer', key }]);
    expect(of('{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no"}}')).toEqual([{ role: 'answer', key }]);
  });
  it('tells the number 7 from the text "7", and keeps the digits of big numbers', () => {
    const keys = ['7', '"7"', '9007199254740993', '9007199254740992'].map((id) => of(`{"id":${id},"result":null}`));
    expect(new Set(keys.map(([pairing]) => pairing?.key)).size).toBe(4);
  });
  it('pairs neither notifications nor JSON that only has an id', () => {
    expect(of('{"jsonrpc":"2.0","method":"eth_subscription","params":{}}')).toEqual([]);
    expect(of('{"id":7,"name":"Ann"}')).toEqual([]);
    expect(of('{"jsonrpc":"2.0","id":null,"error":{"code":-32700}}')).toEqual([]);
  });
  it('sees each request of a batch', () => {
    expect(of('[{"id":1,"method":"a"},{"method":"note"},{"id":2,"method":"b"}]').map(({ key }) => key)).toEqual([
      'json-rpc 1',
      'json-rpc 2',
    ]);
  });
});

describe('socket.io', () => {
  it('pairs an event with an id and its acknowledgement, within a namespace', () => {
    const event = socketIo({ type: PacketType.EVENT, nsp: '/admin', data: ['delete', 'x'], id: 13 });
    const ack = socketIo({ type: PacketType.ACK, nsp: '/admin', data: ['done'], id: 13 });
    const elsewhere = socketIo({ type: PacketType.ACK, nsp: '/', data: ['done'], id: 13 });
    expect(event).toMatchObject([{ role: 'request' }]);
    expect(ack).toEqual([{ role: 'answer', key: event[0]?.key }]);
    expect(elsewhere[0]?.key).not.toBe(event[0]?.key);
  });
  it('pairs no event that wants no acknowledgement', () => {
    expect(socketIo({ type: PacketType.EVENT, nsp: '/', data: ['hello'] })).toEqual([]);
  });
});

describe('graphql-ws', () => {
  const graphql = (text: string): Pairing[] => of(text, { subprotocol: 'graphql-transport-ws' });
  it('pairs a subscription with its results, and the connection with its acknowledgement', () => {
    const query = '{"id":"a1","type":"subscribe","payload":{"query":"subscription { price }"}}';
    expect(graphql(query)).toEqual([{ role: 'request', key: 'graphql-ws "a1"' }]);
    expect(graphql('{"id":"a1","type":"next","payload":{"data":{"price":3}}}')).toEqual([
      { role: 'answer', key: 'graphql-ws "a1"' },
    ]);
    expect(graphql('{"type":"connection_init"}')[0]?.key).toBe(graphql('{"type":"connection_ack"}')[0]?.key);
    expect(graphql('{"type":"ka"}')).toEqual([]);
  });
});

describe('SignalR', () => {
  it('pairs an invocation with its completion, also in a record among others', () => {
    const invocation = '{"type":1,"invocationId":"42","target":"Send","arguments":["hi"]}\x1e';
    expect(of(invocation)).toEqual([{ role: 'request', key: 'signalr "42"' }]);
    expect(of('{"type":6}\x1e{"type":3,"invocationId":"42","result":true}\x1e')).toEqual([
      { role: 'answer', key: 'signalr "42"' },
    ]);
    expect(of('{"type":1,"target":"Notify","arguments":[]}\x1e')).toEqual([]);
  });
});

it('other formats do not pair', () => {
  expect(of('CONNECT\naccept-version:1.2\n\n\0')).toEqual([]);
  expect(of('just text')).toEqual([]);
});
