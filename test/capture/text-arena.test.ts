import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KeptText, TextArena } from '../../src/capture/text-arena.ts';

const MIB = 1024 * 1024;

describe('texts outside of the heap', () => {
  it('are read as they were kept, every latin1 character', () => {
    const arena = new TextArena();
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
    const kept = [arena.keep(all), arena.keep(''), arena.keep('x'.repeat(3 * MIB)), arena.keep('after')];
    expect(kept.map((text) => arena.read(text))).toEqual([all, '', 'x'.repeat(3 * MIB), 'after']);
  });

  it('free their block when the last of it is released', () => {
    const arena = new TextArena();
    const kept = Array.from({ length: 10_000 }, (_, i) => arena.keep(`${i}`.padEnd(1000, '.')));
    expect(arena.costBytes).toBeGreaterThanOrEqual(10_000_000);
    for (const text of kept) arena.release(text);
    expect(arena.costBytes).toBeLessThanOrEqual(2.1 * MIB + 10_000 * 16);
  });

  it('keep no memory for texts to come when they are trimmed, and one that is alive stays', () => {
    const arena = new TextArena();
    const kept = Array.from({ length: 10_000 }, (_, i) => arena.keep(`${i}`.padEnd(1000, '.')));
    const last = kept.pop() as KeptText;
    for (const text of kept) arena.release(text);
    arena.trim();
    expect(arena.read(last)).toBe('9999'.padEnd(1000, '.'));
    arena.release(last);
    arena.trim();
    expect(arena.costBytes).toBeLessThan(0.5 * MIB);
    expect(arena.read(arena.keep('again'))).toBe('again');
  });

  it('do not hold a block each: few old ones are moved together', () => {
    const arena = new TextArena();
    const old: [string, KeptText][] = [];
    let recent: KeptText[] = [];
    for (let i = 0; i < 50_000; i++) {
      const text = arena.keep(`${i}`.padEnd(1000, '.'));
      if (i % 1000 === 0) old.push([`${i}`.padEnd(1000, '.'), text]);
      else recent.push(text);
      if (recent.length > 500) {
        for (const gone of recent) arena.release(gone);
        recent = [];
      }
    }
    expect(arena.costBytes).toBeLessThanOrEqual(4 * MIB);
    expect(old.every(([text, kept]) => arena.read(kept) === text)).toBe(true);
  });

  it('stay what they are in any order of keeping and releasing', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(400_000), fc.nat(20)), { maxLength: 60 }), (steps) => {
        const arena = new TextArena();
        const alive: [string, KeptText][] = [];
        for (const [length, pick] of steps) {
          const text = `${length} `.repeat(Math.ceil(length / 8)).slice(0, length);
          alive.push([text, arena.keep(text)]);
          const [gone] = alive.splice(pick, 1);
          if (gone !== undefined) arena.release(gone[1]);
        }
        expect(alive.every(([text, kept]) => arena.read(kept) === text)).toBe(true);
        const bytes = alive.reduce((sum, [text]) => sum + text.length, 0);
        expect(arena.costBytes).toBeLessThanOrEqual(bytes / 0.25 + 3 * MIB);
        for (const [, kept] of alive) arena.release(kept);
        expect(arena.costBytes).toBeLessThanOrEqual(2.1 * MIB);
      }),
    );
  });

  it('cost no object each: a name is a number, and used again', () => {
    const arena = new TextArena({ blockBytes: 4096 });
    const names = new Set<KeptText>();
    const alive: KeptText[] = [];
    for (let i = 0; i < 10_000; i++) {
      const kept = arena.keep(`text ${i}`);
      names.add(kept);
      alive.push(kept);
      if (alive.length > 100) arena.release(alive.shift() as KeptText);
    }
    expect([...names].every((name) => Number.isInteger(name))).toBe(true);
    expect(names.size).toBeLessThanOrEqual(101);
    expect(alive.map((kept) => arena.read(kept))).toEqual(Array.from({ length: 100 }, (_, i) => `text ${9900 + i}`));
  });
});
