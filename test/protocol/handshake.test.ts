import { describe, expect, it } from 'vitest';
import type { HeaderList, RequestHead, ResponseHead } from '../../src/contract/session.ts';
import {
  acceptFor,
  checkClientHandshake,
  checkServerAnswer,
  clientAnswer,
  isHandshake,
  serverRequest,
} from '../../src/protocol/handshake.ts';

// RFC 6455 §1.3
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const REQUEST: RequestHead = {
  method: 'GET',
  target: '/chat',
  httpVersion: '1.1',
  headers: [
    ['Host', 'example.test'],
    ['upgrade', 'WebSocket'],
    ['Connection', 'keep-alive, Upgrade'],
    ['SEC-WebSocket-Key', KEY],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Protocol', 'chat, superchat'],
    ['X-A', '1'],
    ['x-a', '2'],
  ],
};
const ANSWER: ResponseHead = {
  httpVersion: '1.1',
  status: 101,
  reason: 'Switching Protocols',
  headers: [
    ['Set-Cookie', 'a=1'],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['sec-websocket-ACCEPT', ACCEPT],
    ['Set-Cookie', 'b=2'],
  ],
};

function replaced(headers: HeaderList, name: string, ...values: string[]): HeaderList {
  const others = headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
  return [...others, ...values.map((value) => [name, value] as const)];
}
const request = (name: string, ...values: string[]): RequestHead => ({
  ...REQUEST,
  headers: replaced(REQUEST.headers, name, ...values),
});
const answer = (name: string, ...values: string[]): ResponseHead => ({
  ...ANSWER,
  headers: replaced(ANSWER.headers, name, ...values),
});

describe("a client's opening handshake", () => {
  it('is accepted with any case of names and tokens', () => {
    expect(checkClientHandshake(REQUEST)).toBeNull();
    const headers = [...REQUEST.headers, ['Content-Length', '0'] as const];
    expect(checkClientHandshake({ ...REQUEST, headers })).toBeNull();
  });

  it.each<[string, RequestHead, string, number]>([
    ['POST', { ...REQUEST, method: 'POST' }, 'handshake-method', 400],
    ['HTTP/1.0', { ...REQUEST, httpVersion: '1.0' }, 'handshake-http-version', 400],
    ['no Upgrade', request('Upgrade'), 'handshake-upgrade', 400],
    ['another Upgrade', request('Upgrade', 'h2c'), 'handshake-upgrade', 400],
    ['no Connection token', request('Connection', 'keep-alive'), 'handshake-connection', 400],
    ['no Host', request('Host'), 'handshake-host', 400],
    ['two Hosts', request('Host', 'a', 'b'), 'handshake-host', 400],
    ['a length', { ...REQUEST, headers: [...REQUEST.headers, ['content-length', '5']] }, 'handshake-body', 400],
    ['chunks', { ...REQUEST, headers: [...REQUEST.headers, ['Transfer-Encoding', 'x']] }, 'handshake-body', 400],
    ['version 8', request('Sec-WebSocket-Version', '8'), 'handshake-version', 426],
    ['no version', request('Sec-WebSocket-Version'), 'handshake-version', 426],
    ['two versions', request('Sec-WebSocket-Version', '13', '13'), 'handshake-version', 426],
    ['no key', request('Sec-WebSocket-Key'), 'handshake-key', 400],
    ['two keys', request('Sec-WebSocket-Key', KEY, KEY), 'handshake-key', 400],
    ['a key of 15 bytes', request('Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAA'), 'handshake-key', 400],
    ['a key that is no Base64', request('Sec-WebSocket-Key', '????????????????????????'), 'handshake-key', 400],
  ])('is refused with %s', (_, head, code, status) => {
    expect(checkClientHandshake(head)).toMatchObject({ code, status });
  });

  it('is recognised by its Upgrade token or its key, well made or not', () => {
    expect(isHandshake(request('Upgrade'))).toBe(true);
    expect(isHandshake(request('Sec-WebSocket-Key'))).toBe(true);
    expect(isHandshake({ ...REQUEST, headers: [['Upgrade', 'h2c']] })).toBe(false);
  });
});

describe('our request to the server', () => {
  it('differs from the client’s in the key and in proxy fields alone', () => {
    const head = { ...REQUEST, headers: [['Proxy-Connection', 'keep-alive'], ...REQUEST.headers] as HeaderList };
    const secret = { ...head, headers: [...head.headers, ['proxy-authorization', 'Basic eDp5']] as HeaderList };
    const made = serverRequest(secret, { key: 'AAAAAAAAAAAAAAAAAAAAAA==', target: '/chat' });
    expect(made).toEqual({
      ...REQUEST,
      headers: REQUEST.headers.map(([name, value]) => [name, value === KEY ? 'AAAAAAAAAAAAAAAAAAAAAA==' : value]),
    });
  });

  it('takes another Host where told to, in its place', () => {
    const made = serverRequest(REQUEST, { key: KEY, target: '/', host: 'origin.test:81' });
    expect(made.headers[0]).toEqual(['Host', 'origin.test:81']);
    expect(made.target).toBe('/');
  });
});

describe("the server's 101", () => {
  it('proves itself with the accept value of RFC 6455 §1.3', () => {
    expect(acceptFor(KEY)).toBe(ACCEPT);
    expect(checkServerAnswer(REQUEST, ANSWER)).toEqual({
      proof: { key: KEY, expected: ACCEPT, received: ACCEPT, matches: true },
      violations: [],
      subprotocol: null,
      extensions: null,
      deflate: null,
    });
  });

  it.each<[string, ResponseHead, string]>([
    ['a wrong accept', answer('Sec-WebSocket-Accept', 'AAAA'), 'accept-mismatch'],
    ['no accept', answer('Sec-WebSocket-Accept'), 'accept-mismatch'],
    ['two accepts', answer('Sec-WebSocket-Accept', ACCEPT, ACCEPT), 'accept-mismatch'],
    ['accept in another case', answer('Sec-WebSocket-Accept', ACCEPT.toLowerCase()), 'accept-mismatch'],
    ['no Upgrade', answer('Upgrade'), 'upgrade-missing'],
    ['no Connection', answer('Connection'), 'connection-missing'],
    ['a subprotocol not offered', answer('Sec-WebSocket-Protocol', 'other'), 'subprotocol-not-offered'],
    ['a subprotocol in another case', answer('Sec-WebSocket-Protocol', 'Chat'), 'subprotocol-not-offered'],
    ['two subprotocols', answer('Sec-WebSocket-Protocol', 'chat', 'superchat'), 'subprotocol-not-offered'],
    ['an extension not offered', answer('Sec-WebSocket-Extensions', 'x-foo'), 'extension-not-offered'],
    ['an extension list that is none', answer('Sec-WebSocket-Extensions', '=;'), 'extension-parameters'],
  ])('is marked for %s', (_, head, violation) => {
    expect(checkServerAnswer(REQUEST, head).violations).toEqual([violation]);
  });

  it('may choose one of the subprotocols offered', () => {
    const outcome = checkServerAnswer(REQUEST, answer('Sec-WebSocket-Protocol', 'superchat'));
    expect(outcome).toMatchObject({ subprotocol: 'superchat', violations: [] });
  });

  it('goes to the client field by field, with the client’s own accept in its place', () => {
    expect(clientAnswer(ANSWER, 'MINE')).toEqual({
      ...ANSWER,
      headers: ANSWER.headers.map(([name, value]) => [name, value === ACCEPT ? 'MINE' : value]),
    });
  });
});
