/** Microseconds since the Unix epoch of an ISO 8601 time with up to six decimals; NaN where it is none. */
export function parseIsoMicros(iso: string): number {
  const dot = iso.indexOf('.');
  if (dot < 0) return Date.parse(iso) * 1000;
  const wholeMs = Date.parse(`${iso.slice(0, dot)}Z`);
  const digits = iso
    .slice(dot + 1)
    .replace(/\D.*$/, '')
    .padEnd(6, '0')
    .slice(0, 6);
  return wholeMs * 1000 + Number(digits);
}
