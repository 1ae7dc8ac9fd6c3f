import { describe, expect, it } from 'vitest';
import {
  formatAuthority,
  formatHostPort,
  parseAbsoluteTarget,
  parseAuthority,
} from '../../src/protocol/request-target.ts';

const invalid = expect.objectContaining({ code: 'target-invalid' });

describe('an authority', () => {
  it.each([
    ['example.test:443', 'example.test', 443],
    ['[::1]:80', '::1', 80],
    ['[fe80::1%eth0]:80', 'fe80::1%eth0', 80],
    ['_dmarc.under_score:1', '_dmarc.under_score', 1],
    ['2130706433:65535', '2130706433', 65535],
  ])('%s is a host and a port', (text, host, port) => {
    expect(parseAuthority(text)).toEqual({ host, port });
  });

  it.each([
    '',
    ':80',
    'a',
    'a:',
    'a:0',
    'a:65536',
    'a:1:2',
    '::1:80',
    '[::1]',
    '[x]:1',
    'a b:1',
    'u@a:1',
    'a/:1',
    'é:1',
  ])('%j is none', (text) => {
    expect(() => parseAuthority(text)).toThrow(invalid);
  });

  it('takes the port it is told where it names none', () => {
    expect(parseAuthority('a', 80)).toEqual({ host: 'a', port: 80 });
    expect(parseAuthority('[::1]:', 80)).toEqual({ host: '::1', port: 80 });
  });

  it('is written without the port of its scheme, and with brackets around IPv6', () => {
    expect(formatAuthority({ secure: false, host: 'a', port: 80 })).toBe('a');
    expect(formatAuthority({ secure: true, host: 'a', port: 80 })).toBe('a:80');
    expect(formatAuthority({ secure: true, host: '::1', port: 443 })).toBe('[::1]');
    expect(formatHostPort({ host: '::1', port: 443 })).toBe('[::1]:443');
  });
});

describe('an absolute target', () => {
  it.each([
    ['http://a/b//c?d=http://e/#f', { secure: false, host: 'a', port: 80, path: '/b//c?d=http://e/#f' }],
    ['WSS://a:81', { secure: true, host: 'a', port: 81, path: '' }],
    ['ws://[::1]?x', { secure: false, host: '::1', port: 80, path: '?x' }],
    ['https://a/%7E"\\', { secure: true, host: 'a', port: 443, path: '/%7E"\\' }],
  ])('%s keeps its path to the byte', (target, expected) => {
    expect(parseAbsoluteTarget(target)).toEqual(expected);
  });

  it.each(['/a', '*', 'a:80', '/http://a/'])('%s is of another form', (target) => {
    expect(parseAbsoluteTarget(target)).toBeNull();
  });

  it.each(['ftp://a/', 'http://', 'http://u:p@a/', 'http://a:b/'])('%s cannot be proxied', (target) => {
    expect(() => parseAbsoluteTarget(target)).toThrow(invalid);
  });
});
