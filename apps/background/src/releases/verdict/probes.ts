/** A probe whose answer on the candidate is another, run after run, while the stable release's stays the same. */
export interface ChangedProbe {
  readonly id: string;
  readonly probe: string;
  /** Whether both releases say that its tool only reads. */
  readonly readsOnly: boolean;
}

/** What a server's probes said of a candidate since its step began. */
export interface ProbeFindings {
  /** How many of them are run. */
  readonly enabled: number;
  /** How many passed on the candidate at their last run. */
  readonly passed: number;
  /** Those that pass on the stable release and failed on the candidate twice at least, also at their last run. */
  readonly failed: ReadonlyArray<{ readonly probe: string; readonly reason: string }>;
  /** Those that pass on both and were answered differently at their last run: what their expectations leave open. */
  readonly different: readonly string[];
  /** Those of them that nobody has accepted. */
  readonly changed: readonly ChangedProbe[];
  /** Those of them that have not run often enough to know. */
  readonly unsettled: readonly string[];
  /** Those that have not run on both releases, or failed once on the candidate only: nothing is known of them. */
  readonly unknown: readonly string[];
}
