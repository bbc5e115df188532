/** What a server's probes said of a candidate since its step began. */
export interface ProbeFindings {
  /** How many of them are run. */
  readonly enabled: number;
  /** How many passed on the candidate at their last run. */
  readonly passed: number;
  /** Those that pass on the stable release and failed on the candidate twice at least, also at their last run. */
  readonly failed: ReadonlyArray<{ readonly probe: string; readonly reason: string }>;
  /** Those that pass on both and are answered differently: what their expectations leave open. */
  readonly different: readonly string[];
}
