/** Servers of a tenant whose lists, or resources, may be others now. */
export interface ChangedLists {
  readonly tenantId: string;
  readonly servers: readonly string[];
}

/** An honest worker says no more; what one says beyond it reaches every caller once, when the second is over. */
const PER_SECOND_MAX = 100;
const SECOND_MS = 1_000;

interface Second {
  told: number;
  late: ChangedLists | undefined;
}

/** What workers' servers say of their lists, for every caller that may have kept one. */
export class ListNews {
  readonly #hearers = new Set<(changed: ChangedLists) => void>();
  /** What has been told of each release's servers within this second. */
  readonly #seconds = new Map<string, Second>();

  /** Has somebody hear from now on; what it returns ends that. */
  hear(hearer: (changed: ChangedLists) => void): () => void {
    this.#hearers.add(hearer);
    return () => this.#hearers.delete(hearer);
  }

  /** Tells everybody. */
  tell(changed: ChangedLists): void {
    const second = this.#secondOf(`${changed.tenantId} ${changed.servers.join(' ')}`);
    second.told += 1;
    if (second.told > PER_SECOND_MAX) second.late = changed;
    else this.#pass(changed);
  }

  #secondOf(key: string): Second {
    const running = this.#seconds.get(key);
    if (running !== undefined) return running;
    const second: Second = { told: 0, late: undefined };
    this.#seconds.set(key, second);
    setTimeout(() => {
      this.#seconds.delete(key);
      if (second.late !== undefined) this.tell(second.late);
    }, SECOND_MS).unref();
    return second;
  }

  #pass(changed: ChangedLists): void {
    for (const hearer of this.#hearers) hearer(changed);
  }
}
