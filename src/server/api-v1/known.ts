// Numbers as the API has them: what is not known is absent, and no number has more digits than are known.

/** Undefined where the value is not known. */
export const known = (value: number | undefined): number | undefined =>
  value === undefined || Number.isNaN(value) ? undefined : value;

const rounded = (value: number, factor: number): number | undefined => known(Math.round(value * factor) / factor);

/** Bytes, without a fraction. */
export const bytes = (value: number): number | undefined => rounded(value, 1);

/** To the thousandth, as the metrics have them: percent, seconds, Unix time. */
export const thousandths = (value: number): number | undefined => rounded(value, 1e3);

/** To the ten-thousandth. */
export const ratio = (value: number): number | undefined => rounded(value, 1e4);

/** Unix time, seconds. */
export const unix = (value: number): number => Math.round(value * 1e3) / 1e3;
