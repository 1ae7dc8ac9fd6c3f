/** Formats microseconds since the Unix epoch as ISO 8601 with six decimals, UTC. */
export function isoMicros(timeUs: number): string {
  const wholeMs = Math.floor(timeUs / 1000);
  const micros = Math.floor(timeUs - wholeMs * 1000);
  return `${new Date(wholeMs).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}
