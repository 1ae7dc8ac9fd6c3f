import { describe, expect, test } from 'vitest';
import { formatFullTime } from '../../../web/src/format/clock.ts';
import {
  formatBytes,
  formatCounted,
  formatElapsed,
  formatMemory,
  formatMs,
  formatRate,
  formatSeconds,
  formatShort,
} from '../../../web/src/format/numbers.ts';
import { previewOfBytes, previewText } from '../../../web/src/format/preview.ts';
import { visibleLine, visibleParts } from '../../../web/src/format/visible-text.ts';
import { parseIsoMicros } from '../../../web/src/capture/iso-time.ts';
import { isoMicros } from '../../../src/contract/time.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('numbers', () => {
  test('of events a second have separators, and decimals where they are small', () => {
    expect([0, 0.417, 9.99, 14_816.4, Number.NaN].map(formatRate)).toEqual(['0.00', '0.42', '9.99', '14,816', '–']);
  });
  test('of one thing stand before its singular', () => {
    expect([0, 1, 2000].map((count) => formatCounted(count, 'frame'))).toEqual(['0 frames', '1 frame', '2,000 frames']);
  });
  test('of seconds alone are as precise as silences are compared', () => {
    expect([0, 420, 59_849, 3_600_151].map(formatSeconds)).toEqual(['0.00', '0.42', '59.8', '3,600.2']);
  });
  test('have the unit that fits', () => {
    expect([0, 999, 1000, 88_400, 2_100_000, 3e12].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '88.4 kB',
      '2.1 MB',
      '3.0 TB',
    ]);
    expect(formatMemory(212 * 2 ** 20)).toBe('212 MiB');
    expect([0.42, 3.14, 42.4, 1234, 192_000, 7_500_000].map(formatMs)).toEqual([
      '0.42 ms',
      '3.1 ms',
      '42 ms',
      '1.23 s',
      '3 min 12 s',
      '2 h 5 min',
    ]);
    expect([99_999, 100_000, 8_310_224].map(formatShort)).toEqual(['99,999', '100k', '8.31M']);
    expect([0, 12, 999, 1000, 192_000].map(formatElapsed)).toEqual([
      '00:00:00',
      '12 ms',
      '999 ms',
      '00:00:01',
      '00:03:12',
    ]);
  });
});

describe('times', () => {
  test('keep their microseconds from the contract to the screen', () => {
    for (const timeUs of [1_700_000_000_123_456, 1_700_000_000_000_001, 1_700_000_000_999_999]) {
      expect(parseIsoMicros(isoMicros(timeUs))).toBe(timeUs);
      expect(formatFullTime(timeUs)).toMatch(new RegExp(`${String(timeUs % 1_000_000).padStart(6, '0')}$`));
    }
    expect(parseIsoMicros('2023-11-14T22:13:20Z')).toBe(1_700_000_000_000_000);
  });
});

describe('previews', () => {
  test('of text leave out a character that is cut in two', () => {
    const whole = bytes('añ€😀');
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const text = previewOfBytes(whole.subarray(0, cut), 1, whole.length);
      expect('añ€😀'.startsWith(text)).toBe(true);
      expect(text).not.toContain('\ufffd');
    }
  });
  test('of a close are its code, meaning and reason', () => {
    expect(previewOfBytes(Uint8Array.of(3, 0xe8, ...bytes('bye')), 8, 5)).toBe('1000 normal closure · bye');
    expect(previewOfBytes(new Uint8Array(), 8, 0)).toBe('no status code');
    expect(previewOfBytes(Uint8Array.of(3), 8, 1)).toBe('03');
  });
  test('of binary and control frames are hex, and what can be read in them', () => {
    expect(previewOfBytes(Uint8Array.of(0, 255), 2, 2)).toBe('00 ff');
    expect(previewOfBytes(Uint8Array.of(0, 255, 65, 66), 2, 4)).toBe('00 ff 41 42');
    expect(previewOfBytes(Uint8Array.of(0x81, 0xa2, ...bytes('op'), 0xa4, ...bytes('tick')), 2, 9)).toBe(
      '81 a2 6f 70 a4 74 69 63 6b  ··op·tick',
    );
    expect(previewOfBytes(Uint8Array.of(0, ...bytes('abcdefghijklmnopqrst')), 2, 21)).toBe(
      '00 61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f …  ·abcdefghijklmnopqrst',
    );
    expect(previewOfBytes(bytes('ping'), 9, 4)).toBe('ping  70 69 6e 67');
  });
  test('that the API gives are shown in the same way', () => {
    expect(previewText({ encoding: 'utf8', data: 'häl', truncated: true }, 1, 9)).toBe('häl…');
    expect(previewText({ encoding: 'hex', data: '00ff', truncated: true }, 2, 9)).toBe('00 ff…');
    expect(previewText({ encoding: 'utf8', data: 'ping', truncated: false }, 9, 4)).toBe('ping  70 69 6e 67');
    expect(previewText(null, 1, 9)).toBe('');
  });
});

describe('hidden characters', () => {
  test('are made visible on one line: controls, bidi, zero width, lone surrogates', () => {
    expect(visibleLine('a\u0000b\u202ec\u200bd\ud800e\nf')).toBe('a⟨NUL⟩b⟨RLO⟩c⟨ZWSP⟩d⟨U+D800⟩e↵f');
    expect(visibleLine('plain é 😀 عربي')).toBe('plain é 😀 عربي');
  });
  test('are set apart in many lines, where line feeds and tabs stay', () => {
    expect(visibleParts('a\n\tb\u0000\u0001c')).toEqual([
      { text: 'a\n\tb', symbol: false },
      { text: '⟨NUL⟩⟨SOH⟩', symbol: true },
      { text: 'c', symbol: false },
    ]);
  });
  test('in any number make a bounded number of parts', () => {
    expect(visibleParts('a\u0000'.repeat(50_000)).length).toBeLessThan(3000);
  });
});
