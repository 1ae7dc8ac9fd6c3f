import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { ModuleKind, transpileModule } from 'typescript';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Collector } from '../src/heap.ts';

const MIB = 2 ** 20;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the collector', () => {
  it('collects in a turn of its own, once enough was let go', () => {
    const collect = vi.fn();
    const collector = new Collector(collect);
    for (let i = 0; i < 15; i++) collector.freed(MIB);
    vi.runAllTimers();
    expect(collect).not.toHaveBeenCalled();
    collector.freed(MIB);
    collector.freed(100 * MIB);
    expect(collect).not.toHaveBeenCalled();
    vi.runAllTimers();
    expect(collect).toHaveBeenCalledTimes(1);
  });

  it('rests between two collections, and forgets nothing that was let go meanwhile', () => {
    const collect = vi.fn();
    const collector = new Collector(collect);
    collector.freed(20 * MIB);
    vi.advanceTimersByTime(1);
    collector.freed(20 * MIB);
    vi.advanceTimersByTime(1900);
    expect(collect).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(200);
    expect(collect).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(10_000);
    expect(collect).toHaveBeenCalledTimes(2);
  });

  it('really frees what nobody holds, also in a process that does nothing', async () => {
    vi.useRealTimers();
    const collector = new Collector();
    const before = process.memoryUsage().arrayBuffers;
    const hold = (): number => new ArrayBuffer(64 * MIB).byteLength;
    collector.freed(hold());
    await vi.waitFor(() => expect(process.memoryUsage().arrayBuffers).toBeLessThan(before + MIB), 10_000);
  });
});

describe('the young generation', () => {
  beforeEach(() => {
    vi.useRealTimers();
  });
  it.each([
    [64, 8],
    [256, 32],
  ])('grows no more, however much is made: of a capture of %i MiB at %i MiB', async (budgetMib, mib) => {
    const script = `
      const { keepHeapSmall, youngBytes } = await import(process.argv[1]);
      keepHeapSmall(${budgetMib} * 2 ** 20);
      const kept = [];
      for (let turn = 0; turn < 1500; turn++) {
        for (let i = 0; i < 5000; i++) kept[(turn * 5000 + i) % 300_000] = { turn, i: [i, turn] };
        await new Promise((resolve) => setImmediate(resolve));
      }
      console.log(youngBytes() / 2 ** 20);`;
    const stdout = await runWithHeap(script);
    expect(Number(stdout)).toBe(mib);
  });
});

describe('what Node makes for each tick', () => {
  it('is of one hidden class from the start on, whatever is collected', async () => {
    const script = `
      import { executionAsyncResource } from 'node:async_hooks';
      import { setImmediate as nextTurn } from 'node:timers/promises';
      const { keepTicksFast } = await import(process.argv[1]);
      const first = new WeakRef(await keepTicksFast());
      for (let collections = 0; collections < 10; collections++) {
        await nextTurn();
        gc();
      }
      process.nextTick(() => console.log(%HaveSameMap(first.deref(), executionAsyncResource())));`;
    expect(await runWithHeap(script, ['--expose-gc', '--allow-natives-syntax'])).toBe('true\n');
  });
});

/**
 * Runs a module whose first argument is the address of src/heap.ts, and gives its output. In a process of its own: what
 * is asked of V8 holds for all of it.
 */
async function runWithHeap(script: string, flags: readonly string[] = []): Promise<string> {
  const source = await readFile(new URL('../src/heap.ts', import.meta.url), 'utf8');
  const { outputText } = transpileModule(source, { compilerOptions: { module: ModuleKind.ESNext } });
  const heap = `data:text/javascript,${encodeURIComponent(outputText)}`;
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--input-type=module', '-e', script, heap]);
  return stdout;
}
