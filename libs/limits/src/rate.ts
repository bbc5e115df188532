export const MINUTE_US = 60_000_000;

/** How often something may happen: `perMinute` evenly, and up to `burst` at once after a pause. */
export interface Rate {
  readonly perMinute: number;
  readonly burst: number;
}

/** Microseconds that one happening takes of a rate's time. */
export function intervalUs({ perMinute }: Rate): number {
  return MINUTE_US / perMinute;
}
