import { LRUCache } from 'lru-cache';

/** How much is kept, in bytes: of one result, of one tenant, of all. */
export interface CacheBounds {
  readonly result: number;
  readonly tenant: number;
  readonly total: number;
}

/** A result that is kept. */
export interface KeptAnswer {
  readonly tenantId: string;
  /** Slugs of the servers that had a part in it. */
  readonly servers: readonly string[];
  /** Whether it is its caller's own, whatever its tenant has opened. */
  readonly own: boolean;
  /** The result's JSON without its `ttlMs` and its closing brace. */
  readonly start: string;
  readonly untilMs: number;
}

const ENTRY_BYTES = 512;
const MARKS = 1_024;

/** What is kept in this process, bounded for each tenant and in all; a tenant that keeps much pushes out its own. */
export class KeptAnswers {
  readonly #heldBytes = new Map<string, number>();
  readonly #keysOf = new Map<string, Set<string>>();
  readonly #kept: LRUCache<string, KeptAnswer>;
  /** Grow whenever something of a tenant is forgotten. Tenants share them, which keeps less and never too much. */
  readonly #marks = new Uint32Array(MARKS);

  constructor(private readonly bounds: CacheBounds) {
    this.#kept = new LRUCache<string, KeptAnswer>({
      maxSize: bounds.total,
      sizeCalculation: sizeOf,
      dispose: (kept, key) => this.#left(kept, key),
    });
  }

  /** What is kept under a key, while its time runs. */
  find(key: string, nowMs: number): KeptAnswer | undefined {
    const kept = this.#kept.get(key);
    return kept === undefined || kept.untilMs <= nowMs ? undefined : kept;
  }

  /** Keeps a result, unless it is too large. */
  put(key: string, kept: KeptAnswer): void {
    const bytes = sizeOf(kept);
    if (bytes > this.bounds.result) return;
    this.#kept.delete(key);
    const { tenantId } = kept;
    if ((this.#heldBytes.get(tenantId) ?? 0) + bytes > this.bounds.tenant) this.#drop(tenantId);
    this.#heldBytes.set(tenantId, (this.#heldBytes.get(tenantId) ?? 0) + bytes);
    this.#keysOf.set(tenantId, (this.#keysOf.get(tenantId) ?? new Set()).add(key));
    this.#kept.set(key, kept);
  }

  /** Another number whenever something of the tenant was forgotten since. */
  mark(tenantId: string): number {
    return this.#marks[slotOf(tenantId)] ?? 0;
  }

  /** Forgets a tenant's results, or those that some of its servers had a part in; with `*` all. */
  forget(tenantId: string, servers?: readonly string[]): void {
    if (tenantId === '*') {
      this.#marks.forEach((mark, slot) => (this.#marks[slot] = mark + 1));
      this.#kept.clear();
      return;
    }
    const slot = slotOf(tenantId);
    this.#marks[slot] = (this.#marks[slot] ?? 0) + 1;
    this.#drop(tenantId, servers);
  }

  #drop(tenantId: string, servers?: readonly string[]): void {
    for (const key of this.#keysOf.get(tenantId) ?? []) {
      const kept = this.#kept.peek(key);
      if (servers === undefined || kept?.servers.some((slug) => servers.includes(slug)) !== false)
        this.#kept.delete(key);
    }
  }

  #left(kept: KeptAnswer, key: string): void {
    const { tenantId } = kept;
    const bytes = (this.#heldBytes.get(tenantId) ?? 0) - sizeOf(kept);
    if (bytes > 0) this.#heldBytes.set(tenantId, bytes);
    else this.#heldBytes.delete(tenantId);
    const keys = this.#keysOf.get(tenantId);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOf.delete(tenantId);
  }
}

function sizeOf({ start }: KeptAnswer): number {
  return start.length * 2 + ENTRY_BYTES;
}

function slotOf(tenantId: string): number {
  let hash = 0;
  for (let at = 0; at < tenantId.length; at += 1) hash = (hash * 31 + tenantId.charCodeAt(at)) >>> 0;
  return hash % MARKS;
}
