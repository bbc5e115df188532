import type { BreakerChange } from '#libs/protocol';

/** One tenant's, so that it keeps nobody else from being heard. */
const PER_TENANT_MAX = 200;
const TENANTS_MAX = 5_000;

/** Which breakers have opened or closed, until somebody asks; of a tenant with too many, the first are kept. */
export class BreakerNews {
  readonly #changes = new Map<string, BreakerChange[]>();

  note(change: BreakerChange): void {
    const own = this.#changes.get(change.tenantId) ?? [];
    if (own.length >= PER_TENANT_MAX || (own.length === 0 && this.#changes.size >= TENANTS_MAX)) return;
    own.push(change);
    this.#changes.set(change.tenantId, own);
  }

  /** Hands them over. */
  take(): BreakerChange[] {
    const changes = [...this.#changes.values()].flat();
    this.#changes.clear();
    return changes;
  }
}
