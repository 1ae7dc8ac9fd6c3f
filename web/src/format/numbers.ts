const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function formatCount(value: number): string {
  return whole.format(value);
}

/** A number with the noun it counts, which takes an s for all but one: `1 frame`, `2,000 frames`. */
export function formatCounted(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Two decimals below 10, else none: `0.42`, `14,816`; `–` where there is no number. */
export function formatRate(value: number): string {
  if (Number.isNaN(value)) return '–';
  return value < 10 ? value.toFixed(2) : formatCount(value);
}

/** Traffic, in powers of 1,000: `88 kB`. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB']);
}

/** Memory, in powers of 1,024: `212 MiB`. */
export function formatMemory(bytes: number): string {
  return scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

/** A limit, which is mostly a round number of these: `16 MiB`. */
export const formatLimit = (bytes: number): string => formatMemory(bytes).replace('.0 ', ' ');

function scaled(value: number, step: number, units: readonly string[]): string {
  let unit = 0;
  let rest = value;
  while (rest >= step && unit < units.length - 1) {
    rest /= step;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 99.5 ? 0 : 1;
  return `${rest.toFixed(digits)} ${units[unit] ?? ''}`;
}

/** A number for a narrow column: `8.3M`. */
export function formatShort(value: number): string {
  if (value < 100_000) return formatCount(value);
  if (value < 1_000_000) return `${Math.floor(value / 1000)}k`;
  return `${(Math.floor(value / 10_000) / 100).toFixed(2)}M`;
}

/** `0.42 ms`, `12 ms`, `1.2 s`, `3 min 12 s`, `2 h 5 min`. */
export function formatMs(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const tenths = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Seconds alone, to compare: `0.42`, `59.8`, `3,600.2`. */
export function formatSeconds(ms: number): string {
  return ms < 10_000 ? (ms / 1000).toFixed(2) : tenths.format(ms / 1000);
}

/** `00:03:12`; `12 ms` below a second. */
export function formatElapsed(ms: number): string {
  if (ms > 0 && ms < 1000) return formatMs(ms);
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}
