import type { Platform } from '../platform/platform.js';

/** How many may fail of those that were made: so large a share, and never less than `few`, for a share of a few says nothing. */
export interface Bound {
  readonly share: number;
  readonly few: number;
}

export const NONE: Bound = { share: 0, few: 0 };
/** What was under way: one of each client, and those of nobody else. */
export const IN_FLIGHT: Bound = { share: 0, few: 9 };
/** What is slow for a while, on a machine that may be busy. */
export const FEW: Bound = { share: 0.01, few: 3 };
/** Where one of several copies fails what comes to it. */
export const SOME: Bound = { share: 0.15, few: 9 };
export const ANY: Bound = { share: 1, few: 0 };

/** What a fault may cost; a run fails where it cost more. */
export interface Cost {
  /** Calls that fail, each as it was made first. */
  readonly calls: Bound;
  /** Calls that fail although they are made once more, as a client of the 2026 era does. */
  readonly again: Bound;
  /** Both of the tenant whose calls are answered when their record is committed, where that is another bound. */
  readonly recordedFirst?: Bound;
  /** Sessions of the 2025 era whose client is told so and begins another. */
  readonly sessions: Bound;
  /** Requests of the management API and for tokens. */
  readonly api: Bound;
}

/** Nothing fails, of nobody. */
export const NOTHING: Cost = { calls: NONE, again: NONE, sessions: NONE, api: NONE };

/** PostgreSQL does not answer: whoever needs it fails, and calls whose records may wait do not. */
export const WITHOUT_DATABASE: Cost = { ...NOTHING, recordedFirst: ANY, api: ANY };

/** One thing that goes wrong, and how it is put right again. */
export interface Fault {
  readonly name: string;
  /** What it may cost, as docs/failures.md promises it. */
  readonly cost: Cost;
  /** Why it cannot be brought about on this machine, where it cannot. */
  skipped?(platform: Platform): string | undefined;
  /** Brings it about, holds it for a while and ends it; resolves when it is over. */
  run(platform: Platform): Promise<void>;
}

/**
 * The same for a machine that others use too: so many more may fail of each that may fail at all, and of requests of the API.
 * Where no call may fail none does there either, and nothing may be lost or done twice.
 */
export function eased({ calls, again, recordedFirst, sessions, api }: Cost, slack: number): Cost {
  const more = ({ share, few }: Bound): Bound => ({ share, few: few + slack });
  const ease = (bound: Bound): Bound => (bound.share === 0 && bound.few === 0 ? bound : more(bound));
  return {
    calls: ease(calls),
    again: ease(again),
    ...(recordedFirst === undefined ? {} : { recordedFirst: ease(recordedFirst) }),
    sessions: ease(sessions),
    api: more(api),
  };
}

/** How many of so many a bound lets fail. */
export function mostOf({ share, few }: Bound, made: number): number {
  return Math.max(few, Math.floor(share * made));
}
