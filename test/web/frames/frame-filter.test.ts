import { describe, expect, test } from 'vitest';
import { parseFilter } from '../../../src/capture/filter.ts';
import { FRAME_VIOLATIONS, ViolationBit } from '../../../src/contract/violations.ts';
import { FrameBit } from '../../../src/contract/frame-bits.ts';
import { frameFilter } from '../../../web/src/frames/frame-filter.ts';
import { frameMarks, heldText, rowKind, typeText } from '../../../web/src/frames/frame-words.ts';
import { frameMatches } from '../frame-matches.ts';
import { fakeRow, fakeSummary } from '../mock-capture.ts';

const none = { filter: '', filterNeedsFrames: true, direction: 'all', kind: 'all', find: '' } as const;
const session = fakeSummary(1, { frameCount: 100, firstHeldFrame: 0, seq: 1, startedMs: 0 });
const matches = (filter: string, index: number, payload: string): boolean =>
  frameMatches(parseFilter(filter), session, fakeRow(index, 0), payload);

describe('the filter above the frames', () => {
  test('lets everything through where nothing is chosen', () => {
    expect(frameFilter(none)).toBe('');
  });
  test.each([
    ['/^a+/i', '/^a+/i'],
    ['/a/b/', '/a\\/b/'],
    ['/a\\/b/', '/a\\/b/'],
  ])('takes %s as a regular expression', (find, pattern) => {
    expect(frameFilter({ ...none, find })).toBe(`text~${pattern}`);
    expect(() => parseFilter(`text~${pattern}`)).not.toThrow();
  });
  test('takes a path as text', () => {
    expect(frameFilter({ ...none, find: '/api/users' })).toBe('text:"/api/users"');
  });
  test('is understood by the server and means what the buttons say', () => {
    const [text, ping] = [1, 5];
    expect(matches(frameFilter({ ...none, kind: 'control' }), ping, '')).toBe(true);
    expect(matches(frameFilter({ ...none, kind: 'control' }), text, '')).toBe(false);
    expect(matches(frameFilter({ ...none, kind: 'data' }), text, '')).toBe(true);
    expect(matches(frameFilter({ ...none, direction: 'up' }), text, '')).toBe(true);
    expect(matches(frameFilter({ ...none, direction: 'down' }), text, '')).toBe(false);
  });
  test('takes any text literally, and /…/ as a regular expression', () => {
    for (const find of ['say "hi" \\ (x) and or not', 'op:ping', ')', '"', '\\']) {
      const filter = frameFilter({ ...none, direction: 'up', find });
      expect(matches(filter, 1, `before ${find} after`)).toBe(true);
      expect(matches(filter, 1, 'something else')).toBe(false);
    }
    expect(matches(frameFilter({ ...none, find: '/^a+b$/i' }), 1, 'AAB')).toBe(true);
    expect(matches(frameFilter({ ...none, find: '/^a+b$/i' }), 1, 'AABc')).toBe(false);
  });
  test('goes together with the filter at the top, whatever that contains', () => {
    const filter = frameFilter({ ...none, filter: 'op:ping or op:text', direction: 'down' });
    expect(matches(filter, 1, '')).toBe(false);
    expect(matches(filter, 12, '')).toBe(true);
  });
  test('lets every frame through where the filter at the top is about sessions alone', () => {
    const filter = 'host:echo.example and is:open';
    expect(parseFilter(filter).needsFrames).toBe(false);
    expect(frameFilter({ ...none, filter, filterNeedsFrames: false })).toBe('');
    expect(frameFilter({ ...none, filter, filterNeedsFrames: false, direction: 'up' })).toBe('dir:up');
  });
});

describe('a row', () => {
  test('has a sign for every colour', () => {
    expect(rowKind(0x89, 0)).toBe('control');
    expect(typeText(0x89)).toBe('ping 9');
    expect(rowKind(0x81 | FrameBit.ServerToClient, 0)).toBe('to-client');
    expect(rowKind(0x81, 1)).toBe('violated');
    for (const [code] of FRAME_VIOLATIONS) {
      const [mark] = frameMarks(0x81 | FrameBit.Complete, ViolationBit[code]);
      expect(mark?.text).toBe(`⚠ ${code}`);
    }
  });
  test('says how much of the payload is held, where that is not all', () => {
    const bits = 0x82 | FrameBit.Complete;
    const of = (heldBytes: number | null): string => heldText({ bits, payloadLength: 200_000_000, heldBytes });
    expect(of(16 * 1024 * 1024)).toBe('16 MiB of 200 MB held (--payload-limit)');
    expect(of(0)).toBe('none of 200 MB held');
    expect(of(null)).toBe('not all of 200 MB held');
    expect(of(200_000_000)).toBe('');
    expect(heldText({ bits: 0x82, payloadLength: 10, heldBytes: 5 })).toBe('');
  });
  test('shows fragments as a branch: first, middle, last', () => {
    expect([0x01, 0x00, 0x80, 0x81, 0x8b].map(typeText)).toEqual([
      'text ┐',
      '├ continuation',
      '└ continuation',
      'text',
      'reserved 11',
    ]);
  });
});
