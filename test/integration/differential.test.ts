import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppRig } from '../helpers/app-rig.ts';
import type { FrameRow } from '../../src/contract/frame.ts';
import type { SessionSummary } from '../../src/contract/session.ts';
import type { RawRole } from '../helpers/differential-ends.ts';
import { DifferentialRig, type Run, type Verdict } from '../helpers/differential-rig.ts';
import { protocolCases } from '../helpers/protocol-cases.ts';
import { DIRECT, type Way, WAYS } from '../helpers/ways.ts';
import { parse } from '../helpers/wire-frames.ts';

const ROLES: readonly RawRole[] = ['client', 'server'];
const AT_ONCE = 24;
/** Every so many cases, the frames' bytes on the wire are compared too. */
const WIRE_SAMPLE = 9;

/** Frametap sees more than `ws`, and what only inflating shows it tells of the message. */
const MARKED_ALTHOUGH_WS_BEARS_IT =
  /^\d+ bytes, length in|after close$|^close between fragments|^FIN in the (first|middle of a (header|payload))/;
const MARKED_ON_THE_MESSAGE = /^deflate, (text that is none|no valid data)$/;

let rig: DifferentialRig;
const direct: Record<RawRole, Verdict[]> = { client: [], server: [] };

beforeAll(async () => {
  rig = await DifferentialRig.start(await protocolCases());
  for (const role of ROLES) direct[role] = (await runAll(role, DIRECT)).map(({ verdict }) => verdict);
}, 60_000);
afterAll(() => rig.stop());

async function forAll<T>(count: number, work: (number: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) results[number] = await work(number);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}
function runAll(role: RawRole, way: Way): Promise<Run[]> {
  return forAll(rig.cases.length, (number) => rig.run(role, number, way));
}

/** The sessions of one way by the number of their case. */
async function sessionsOf(app: AppRig, way: Way): Promise<Map<number, SessionSummary>> {
  const found = new Map<number, SessionSummary>();
  for (let after: string | null = ''; after !== null;) {
    const page: { sessions: SessionSummary[]; next: string | null } = await app.get(
      `/api/sessions?limit=1000${after === '' ? '' : `&after=${after}`}`,
    );
    for (const session of page.sessions) {
      const url = new URL(session.url);
      if (url.search === `?${encodeURIComponent(way.name)}`) found.set(Number(url.pathname.slice(1)), session);
    }
    after = page.next;
  }
  return found;
}

/** A frame as both a capture's row and the bytes of a peer tell it. */
function shapeOfRow(row: FrameRow): object {
  const { fin, rsv1, rsv2, rsv3, opcode, masked, payloadLength, lengthBits, streamOffset, complete } = row;
  const byte0 = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | (rsv2 ? 0x20 : 0) | (rsv3 ? 0x10 : 0) | opcode;
  return { byte0, masked, payloadLength, lengthBits, streamOffset, complete };
}
function shapesOfBytes(frames: readonly Buffer[]): object[] {
  let streamOffset = 0;
  return frames.map((bytes) => {
    const [first = 0, second = 0] = bytes;
    const short = second & 0x7f;
    const lengthBits = short === 127 ? 64 : short === 126 ? 16 : 7;
    const extra = lengthBits === 7 ? 0 : lengthBits / 8;
    const masked = second > 0x7f;
    const payloadLength = bytes.length - 2 - extra - (masked ? 4 : 0);
    const shape = { byte0: first, masked, payloadLength, lengthBits, streamOffset, complete: true };
    streamOffset += bytes.length;
    return shape;
  });
}

describe.each(ROLES)('a raw %s', (role) => {
  it('has cases that end as they should without a proxy', () => {
    const endings = new Set(direct[role].map(({ rawEnding, wsEnding }) => `${rawEnding} ${wsEnding}`));
    expect([...endings].sort()).toEqual([' ECONNRESET', 'fin fin']);
    const closed = direct[role].filter(({ events }) => events.at(-1)?.startsWith('close '));
    expect(closed).toHaveLength(rig.cases.length);
    const errors = new Set(direct[role].flatMap(({ events }) => events.filter((one) => one.startsWith('error '))));
    expect([...errors].sort()).toEqual([
      'error WS_ERR_EXPECTED_FIN',
      ...(role === 'client' ? ['error WS_ERR_EXPECTED_MASK'] : []),
      'error WS_ERR_INVALID_CLOSE_CODE',
      'error WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
      'error WS_ERR_INVALID_OPCODE',
      'error WS_ERR_INVALID_UTF8',
      ...(role === 'server' ? ['error WS_ERR_UNEXPECTED_MASK'] : []),
      'error WS_ERR_UNEXPECTED_RSV_1',
      'error WS_ERR_UNEXPECTED_RSV_2_3',
      'error Z_DATA_ERROR',
    ]);
  });

  it.each(WAYS)(
    'gets the same verdict on every case as without a proxy: $name',
    async (way) => {
      const runs = await runAll(role, way);
      const differing = runs.flatMap(({ verdict }, number) => {
        const expected = direct[role][number];
        return JSON.stringify(verdict) === JSON.stringify(expected)
          ? []
          : [{ case: rig.cases[number]?.name, expected, verdict }];
      });
      expect(differing).toEqual([]);

      const app = way.app(rig.modes[role]);
      const sessions = await sessionsOf(app, way);
      const wrong = await forAll(runs.length, async (number) => {
        const { written, got } = runs[number] as Run;
        const session = sessions.get(number);
        if (session === undefined) return [{ case: rig.cases[number]?.name, missing: true }];
        const rows = await app.frames(session.id);
        const own = role === 'client' ? 'client-to-server' : 'server-to-client';
        const fromRaw = rows.filter(({ direction }) => direction === own);
        const whole = rig.cases[number]?.lastFrameBytes === undefined ? written : written.slice(0, -1);
        const kept = fromRaw.slice(0, whole.length);
        const problems: object[] = [];
        const compare = (what: string, actual: unknown, expected: unknown): void => {
          if (JSON.stringify(actual) === JSON.stringify(expected)) return;
          problems.push({ case: rig.cases[number]?.name, what, actual, expected });
        };
        compare('frames of the raw end', kept.map(shapeOfRow), shapesOfBytes(whole));
        compare(
          'keys of the raw end',
          kept.map((row) => row.maskingKey),
          whole.map((bytes) => parse(bytes).frames[0]?.key?.toString('hex') ?? null),
        );
        const toRaw = rows.filter(({ direction }) => direction !== own);
        compare('frames of ws', toRaw.map(shapeOfRow), shapesOfBytes(got.map(({ bytes }) => bytes)));
        // Of a frame that never ended there is a row as soon as its header is whole.
        const cut = fromRaw.slice(whole.length).map(({ payloadLength, complete }) => ({ payloadLength, complete }));
        const headerSeen = (rig.cases[number]?.lastFrameBytes ?? 0) > 8;
        compare('frame that never ended', cut, headerSeen ? [{ payloadLength: 256, complete: false }] : []);
        const refused = (direct[role][number] as Verdict).events.some((event) => event.startsWith('error '));
        const name = rig.cases[number]?.name ?? '';
        const marked = (refused && !MARKED_ON_THE_MESSAGE.test(name)) || MARKED_ALTHOUGH_WS_BEARS_IT.test(name);
        compare('marks', session.violationCount > 0, marked);
        if (number % WIRE_SAMPLE === 0) {
          for (const [at, row] of kept.slice(0, 8).entries()) {
            const answer = await app.fetch(`/api/sessions/${session.id}/frames/${row.index}/payload?plane=wire`);
            const bytes = Buffer.from(await answer.arrayBuffer());
            compare(`wire bytes of frame ${row.index}`, bytes.equals(written[at] ?? Buffer.alloc(0)), true);
          }
        }
        return problems;
      });
      expect(wrong.flat()).toEqual([]);
    },
    60_000,
  );
});
