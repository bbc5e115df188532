/** A part of the schema that a migration takes away, now that no program in use needs it. */
export interface Contract {
  /** `table` or `table.column`. */
  readonly removes: string;
  /** The first released version of the platform that does not use it. */
  readonly unusedSince: string;
}

/**
 * What migrations of this version take away. A release may only take away what the release before did without already:
 * first a release that no longer uses it, then one whose migration removes it.
 */
export const CONTRACTS: readonly Contract[] = [];
