// Quantities for people: bytes, durations and shares, in one form for terminal, pages and explanations. The number
// stands first, then a space, then the unit. What is not known (NaN) is a dash, never 0. Machines read JSON and metrics
// instead.

const NOT_KNOWN = '–';
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes with a binary prefix and one decimal: "0 B", "1.0 GiB". The unit changes where rounding would give 1024.0. */
export function formatBytes(bytes: number): string {
  if (Number.isNaN(bytes)) return NOT_KNOWN;
  let value = bytes;
  let unit = 0;
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** Seconds in the largest units that say enough: "0 s", "0.4 ms", "3.2 s", "42 s", "5 min", "3 h 5 min", "12 d 4 h". */
export function formatDuration(seconds: number): string {
  if (Number.isNaN(seconds)) return NOT_KNOWN;
  if (seconds < 0.0995) return seconds > 0 ? `${Number((seconds * 1000).toPrecision(2))} ms` : '0 s';
  if (seconds < 9.95) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A ratio (0.042) in percent: "4 %", or "4.2 %" with one decimal. */
export const formatPercent = (ratio: number, decimals = 0): string =>
  Number.isNaN(ratio) ? NOT_KNOWN : `${(ratio * 100).toFixed(decimals)} %`;
