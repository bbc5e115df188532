/** Scenarios of a revision that are not run, and why. */
export interface LeftOut {
  readonly scenarios: readonly string[];
  readonly reason: string;
}

/** What the suite requires of a client and ours is not asked, by revision. */
export const LEFT_OUT = {
  '2025-11-25': { scenarios: [], reason: '' },
  '2026-07-28': { scenarios: [], reason: '' },
} as const satisfies Record<string, LeftOut>;
