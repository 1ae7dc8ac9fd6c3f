import { describe, expect, it } from 'vitest';
import { negotiatedDeflate, parseExtensions } from '../../src/protocol/extensions.ts';

describe('Sec-WebSocket-Extensions', () => {
  it('is one list over all its fields', () => {
    expect(parseExtensions(['a; x=1; y, b', ' c;z="q\\"," ,,'])).toEqual([
      {
        name: 'a',
        parameters: [
          ['x', '1'],
          ['y', null],
        ],
      },
      { name: 'b', parameters: [] },
      { name: 'c', parameters: [['z', 'q",']] },
    ]);
  });

  it.each(['=', 'a;', 'a; =1', 'a; b=', 'a b', 'a; b="c', 'a/b'])('is not read as %j', (text) => {
    expect(parseExtensions([text])).toBeNull();
  });
});

const PLAIN = {
  clientNoContextTakeover: false,
  serverNoContextTakeover: false,
  clientMaxWindowBits: 15,
  serverMaxWindowBits: 15,
};

describe('permessage-deflate', () => {
  it.each([
    ['permessage-deflate', 'permessage-deflate', PLAIN],
    [
      'permessage-deflate; client_max_window_bits',
      'permessage-deflate; client_max_window_bits=10; server_max_window_bits=9',
      { ...PLAIN, clientMaxWindowBits: 10, serverMaxWindowBits: 9 },
    ],
    [
      'permessage-deflate; server_no_context_takeover',
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
      { ...PLAIN, serverNoContextTakeover: true, clientNoContextTakeover: true },
    ],
    [
      'permessage-deflate; server_max_window_bits=10, permessage-deflate',
      'permessage-deflate; server_max_window_bits="12"',
      { ...PLAIN, serverMaxWindowBits: 12 },
    ],
  ])('offered as %j and answered with %j is in force', (offer, answer, deflate) => {
    expect(negotiatedDeflate([offer], [answer])).toEqual({ deflate, problems: [] });
  });

  it('is not in force without an answer', () => {
    expect(negotiatedDeflate(['permessage-deflate'], [])).toEqual({ deflate: null, problems: [] });
  });

  it('that was not offered is not in force', () => {
    expect(negotiatedDeflate([], ['permessage-deflate'])).toEqual({
      deflate: null,
      problems: ['extension-not-offered'],
    });
  });

  it.each([
    ['permessage-deflate', 'permessage-deflate; client_max_window_bits=10'],
    ['permessage-deflate; client_max_window_bits=9', 'permessage-deflate; client_max_window_bits=10'],
    ['permessage-deflate; server_max_window_bits=9', 'permessage-deflate'],
    ['permessage-deflate; server_no_context_takeover', 'permessage-deflate'],
    ['permessage-deflate', 'permessage-deflate; server_max_window_bits=7'],
    ['permessage-deflate', 'permessage-deflate; server_max_window_bits=16'],
    ['permessage-deflate', 'permessage-deflate; server_max_window_bits=08'],
    ['permessage-deflate', 'permessage-deflate; server_max_window_bits'],
    ['permessage-deflate', 'permessage-deflate; client_no_context_takeover=1'],
    ['permessage-deflate', 'permessage-deflate; client_no_context_takeover; client_no_context_takeover'],
    ['permessage-deflate', 'permessage-deflate; unknown'],
    ['permessage-deflate', 'permessage-deflate, permessage-deflate'],
  ])('offered as %j and answered with %j is marked, and still read', (offer, answer) => {
    const outcome = negotiatedDeflate([offer], [answer]);
    expect(outcome.problems).toEqual(['extension-parameters']);
    expect(outcome.deflate).not.toBeNull();
  });
});
