/** Meaning of the status codes of RFC 6455 §7.4.1 and the IANA registry after it. */
const MEANINGS: Readonly<Record<number, string>> = {
  1000: 'normal closure',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1004: 'reserved',
  1005: 'no status received',
  1006: 'abnormal closure',
  1007: 'invalid frame payload data',
  1008: 'policy violation',
  1009: 'message too big',
  1010: 'mandatory extension missing',
  1011: 'internal error',
  1012: 'service restart',
  1013: 'try again later',
  1014: 'bad gateway',
  1015: 'TLS handshake failed',
};

export function closeCodeMeaning(code: number): string {
  const known = MEANINGS[code];
  if (known !== undefined) return known;
  if (code >= 3000 && code <= 3999) return 'registered with IANA by a library or framework';
  if (code >= 4000 && code <= 4999) return 'private use';
  return 'undefined';
}

/** May stand in a close frame (RFC 6455 §7.4.1, §7.4.2). */
export function closeCodeIsLegal(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
