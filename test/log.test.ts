import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger, type LogLevel } from '../src/log.ts';

function logTo(isTTY: boolean, level: LogLevel = 'info') {
  const stderr = Object.assign(new PassThrough(), { isTTY });
  return { logger: createLogger({ level, stderr }), written: () => String(stderr.read() ?? '') };
}

describe('the log', () => {
  it('is one JSON object a line where stderr is no terminal', () => {
    const { logger, written } = logTo(false);
    logger.warn({ host: 'example.com' }, 'the client does not trust the CA');
    const line = written();
    expect(line.endsWith('\n')).toBe(true);
    expect(JSON.parse(line)).toMatchObject({ level: 40, host: 'example.com', msg: 'the client does not trust the CA' });
  });

  it('is a short line to read on a terminal', () => {
    const { logger, written } = logTo(true);
    logger.info({ session: 3 }, 'opened');
    logger.error({ err: Object.assign(new Error('refused'), { code: 'upstream-refused' }) }, 'failed');
    expect(written()).toMatch(
      /^\d\d:\d\d:\d\d info {2}opened session=3\n\d\d:\d\d:\d\d error failed \(upstream-refused: refused\)\n$/,
    );
  });

  it('lets no peer steer the terminal', () => {
    const { logger, written } = logTo(true);
    logger.warn({ host: '\u001b[2Jevil\u202e' }, 'line\nbreak\u009b1m');
    expect(written().trimEnd()).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  });

  it('tells no secret where one is put in by mistake', () => {
    const { logger, written } = logTo(false);
    logger.info({ token: 'hush', headers: { authorization: 'hush', cookie: 'hush' }, config: { proxyAuth: 'hush' } });
    logger.info({ config: { uiToken: 'hush' }, payload: 'hush' }, 'x');
    expect(written()).not.toContain('hush');
  });

  it('keeps to its level', () => {
    const { logger, written } = logTo(false, 'error');
    logger.warn('nothing');
    expect(written()).toBe('');
  });
});
