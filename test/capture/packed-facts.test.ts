import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Opening, packEnded, packOpening, unpackEnded, unpackOpening } from '../../src/capture/packed-facts.ts';

/** Bytes of a head as latin1: anything but the end of a line. */
const headText = fc.uint8Array({ maxLength: 40 }).map((bytes) =>
  Buffer.from(bytes)
    .toString('latin1')
    .replaceAll(/[\n\r]/g, ' '),
);
const anyText = fc.string({ unit: 'binary', maxLength: 40 });
const port = fc.nat(65_535);
const headers = fc.array(fc.tuple(headText, headText), { maxLength: 8 });
const request = fc.record({ method: headText, target: headText, httpVersion: headText, headers });
const response = fc.record({ httpVersion: headText, status: fc.nat(999), reason: headText, headers });
const tls = fc.record({
  version: anyText,
  cipher: anyText,
  alpn: fc.option(anyText),
  certificateSha256: fc.option(anyText),
});
const duration = fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }));
const proof = fc.record({
  key: fc.option(headText),
  expected: fc.option(headText),
  received: fc.option(headText),
  matches: fc.boolean(),
});
const opening: fc.Arbitrary<Opening> = fc.record({
  server: fc.record({ address: headText, port, tls: fc.option(tls) }),
  clientTls: fc.option(tls),
  timingsMs: fc.record({ dns: duration, connect: duration, tls: duration, upgrade: duration }),
  handshake: fc.record({
    clientRequest: fc.option(request),
    serverRequest: fc.option(request),
    serverResponse: fc.option(response),
    clientResponse: fc.option(response),
  }),
  refusalBody: fc.option(anyText),
  proof: fc.record({ client: proof, server: proof }),
});

const party = fc.constantFrom('client' as const, 'server' as const, 'proxy' as const);
const ending = fc.constantFrom('fin' as const, 'reset' as const, 'timeout' as const);
const closeFrame = fc.record({ code: fc.option(fc.nat(65_535)), reason: anyText, frameIndex: fc.nat() });
const time = fc.double({ min: 0, max: 2e15, noNaN: true });
const ended = fc.record({
  summary: fc.record({
    id: fc.nat().map(String),
    url: anyText,
    mode: fc.constantFrom('connect' as const, 'absolute-form' as const, 'reverse' as const),
    state: fc.constantFrom('closed' as const, 'failed' as const),
    startedUs: time,
    openedUs: fc.option(time),
    closedUs: fc.option(time),
    client: fc.record({ address: anyText, port }),
    status: fc.option(fc.nat(999)),
    subprotocol: fc.option(anyText),
    extensions: fc.option(anyText),
    frames: fc.tuple(fc.nat(), fc.nat()),
    bytes: fc.tuple(fc.nat(), fc.nat()),
    frameCount: fc.nat(),
    violationCount: fc.nat(),
    heardUs: time,
    survivedUs: fc.nat(),
    endUs: fc.option(time),
    close: fc.option(
      fc.record({
        by: party,
        code: fc.option(fc.nat(65_535)),
        reason: anyText,
        clean: fc.boolean(),
        how: fc.oneof(fc.constant('closing-handshake' as const), ending),
        clientFrame: fc.option(closeFrame),
        serverFrame: fc.option(closeFrame),
        echoMs: duration,
        clientEnding: fc.option(ending),
        serverEnding: fc.option(ending),
      }),
    ),
    fault: fc.option(fc.record({ by: party, code: anyText, message: anyText })),
  }),
  firstFrame: duration,
  violations: fc.array(
    fc.record({
      code: fc.constantFrom('reserved-opcode' as const, 'subprotocol-not-offered' as const),
      by: party,
      count: fc.nat(),
      firstFrame: fc.option(fc.nat()),
    }),
  ),
});

const isLatin1 = (text: string): boolean => /^[\x00-\xff]*$/.test(text);

describe('packed facts of a session', () => {
  it('read back equal, whatever its opening was', () => {
    fc.assert(
      fc.property(opening, (facts) => {
        const packed = packOpening(facts);
        expect(isLatin1(packed)).toBe(true);
        expect(unpackOpening(packed)).toEqual(facts);
      }),
    );
  });

  it('read back equal, however it ended', () => {
    fc.assert(
      fc.property(ended, (facts) => {
        const packed = packEnded(facts);
        expect(isLatin1(packed)).toBe(true);
        expect(unpackEnded(packed)).toEqual(facts);
      }),
    );
  });
});
