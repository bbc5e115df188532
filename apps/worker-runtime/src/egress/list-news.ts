/** Servers of a tenant whose lists, or resources, may be others now. */
export interface ChangedLists {
  readonly tenantId: string;
  readonly servers: readonly string[];
}

/** What workers' servers say of their lists, for every caller that may have kept one. */
export class ListNews {
  readonly #hearers = new Set<(changed: ChangedLists) => void>();

  /** Has somebody hear from now on; what it returns ends that. */
  hear(hearer: (changed: ChangedLists) => void): () => void {
    this.#hearers.add(hearer);
    return () => this.#hearers.delete(hearer);
  }

  /** Tells everybody. */
  tell(changed: ChangedLists): void {
    for (const hearer of this.#hearers) hearer(changed);
  }
}
