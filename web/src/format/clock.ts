const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`);

/** Local time of day: `20:14:03.120`. */
export function formatClock(timeUs: number): string {
  const date = new Date(timeUs / 1000);
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/** Local date and time with microseconds: `2026-11-21 20:14:03.120456`. */
export function formatFullTime(timeUs: number): string {
  const date = new Date(timeUs / 1000);
  const micros = String(Math.floor(timeUs % 1000)).padStart(3, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${formatClock(timeUs)}${micros}`;
}
