import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FrametapError } from '../src/errors.ts';
import { reportError, untilSignal } from '../src/shutdown.ts';

afterEach(() => vi.restoreAllMocks());

describe('signals', () => {
  it('are one where npm passes on what the terminal has sent already, and end the process at the second', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1000);
    const codes: number[] = [];
    const ending = untilSignal((code) => codes.push(code));
    process.emit('SIGINT', 'SIGINT');
    await ending.signalled;
    clock.mockReturnValue(1010);
    process.emit('SIGINT', 'SIGINT');
    expect(codes).toEqual([]);
    clock.mockReturnValue(2000);
    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGTERM', 'SIGTERM');
    expect(codes).toEqual([130, 143]);
    ending.release();
  });

  it('are left alone again afterwards', () => {
    const before = process.listenerCount('SIGINT');
    untilSignal().release();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});

describe('an error', () => {
  const report = (error: unknown): [number, string] => {
    const stderr = new PassThrough();
    return [reportError(error, stderr), String(stderr.read())];
  };

  it('of the catalogue is one line with what to do, and its exit code', () => {
    expect(report(new FrametapError('port-taken', 'Port 80 is taken.'))).toEqual([
      69,
      'frametap: Port 80 is taken. Choose another, or leave the option out. [port-taken]\n',
    ]);
  });

  it('of another kind is internal, with its stack', () => {
    const [code, line] = report(new TypeError('oops'));
    expect(code).toBe(70);
    expect(line).toMatch(/^frametap: TypeError: oops\n +at [^]*\[internal\]\n$/);
    expect(report('thrown')).toEqual([70, 'frametap: thrown [internal]\n']);
  });
});
