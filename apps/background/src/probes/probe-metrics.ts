import { DurationTally, OTHER, Tally, TopNames } from '#libs/telemetry';
import type { KeptResult, ProbeCause } from './probe-runs.repository.js';

const TENANTS_MAX = 20;
const SERVERS_MAX = 100;

/**
 * Counts how probes ended and whether they were answered as before, for the tenants and servers whose probes run most;
 * the rest is `other`.
 */
export class ProbeMetrics {
  readonly #runs = new Tally('background', 'wharf_probe_runs', 'Runs of probes by how they ended and were answered.');
  readonly #duration = new DurationTally('wharf_probe_duration_seconds', 'How long the calls of probes took.');
  readonly #tenants = new TopNames(TENANTS_MAX, (tenant) => this.#forget({ tenant }));
  readonly #servers = new TopNames(SERVERS_MAX, (key) => {
    const [tenant = '', server = ''] = key.split(' ');
    this.#forget({ tenant, server });
  });

  /** Counts one run. */
  count(serverSlug: string, cause: ProbeCause, kept: KeptResult): void {
    const tenant = this.#tenants.count(kept.tenantSlug);
    const known = tenant !== OTHER && this.#servers.count(`${tenant} ${serverSlug}`) !== OTHER;
    const server = known ? serverSlug : OTHER;
    this.#runs.add({ tenant, server, result: kept.passed ? 'passed' : 'failed', answer: kept.answer, cause });
    this.#duration.record(kept.latencyMs / 1_000, { tenant, server });
  }

  #forget(gone: { readonly tenant: string; readonly server?: string }): void {
    this.#runs.forget(gone);
    this.#duration.forget(gone);
  }
}
