import { LRUCache } from 'lru-cache';
import type { RequestId } from '../edge/exchange.js';
import type { PlacedCall } from '../sessions/place.js';
import { questionOf, type CacheQuestion } from './question.js';

/** How much is kept, in bytes: of one result, of one tenant, of all. */
export interface CacheBounds {
  readonly result: number;
  readonly tenant: number;
  readonly total: number;
}

const BOUNDS: CacheBounds = { result: 1024 * 1024, tenant: 8 * 1024 * 1024, total: 128 * 1024 * 1024 };
/** However long a result says that it may be kept. */
const TTL_MS_MAX = 300_000;
const ENTRY_BYTES = 512;

interface KeptResult {
  readonly tenantId: string;
  /** The result's JSON without its `ttlMs` and its closing brace. */
  readonly start: string;
  readonly untilMs: number;
}

/** How an answer may be kept. */
interface Keeping {
  readonly lists: 'opened' | 'closed';
  readonly ttlMsMax: number;
  /** Whether nothing was forgotten since it was asked for. */
  readonly isFresh: () => boolean;
}

/** A message and, while it is kept, how to ask for it again. */
export interface Question {
  /** The answer from before. */
  readonly answer: Buffer | undefined;
  /** Takes a worker's answer; returns it as its caller may see it. */
  keep(message: Buffer): Buffer;
}

/**
 * Results that say how long they may be kept (lists, prompts, resources of the 2026 era), in this process only and
 * nowhere else. Private ones are kept for their principal, and all are private unless their tenant has opened its
 * lists. A change of the tenant's rows, such as a release, drops them all. A tenant's share is bounded: it pushes out
 * its own. For a tenant without the feature nothing is kept, and what is private is marked so all the same.
 */
export class ResultCache {
  readonly #bounds: CacheBounds;
  readonly #heldBytes = new Map<string, number>();
  readonly #kept: LRUCache<string, KeptResult>;
  /** Grows whenever anything is forgotten: an answer that was on its way then is not kept. */
  #forgotten = 0;

  constructor(bounds: CacheBounds = BOUNDS) {
    this.#bounds = bounds;
    this.#kept = new LRUCache<string, KeptResult>({
      maxSize: bounds.total,
      sizeCalculation: sizeOf,
      dispose: (kept) => this.#count(kept.tenantId, -sizeOf(kept)),
    });
  }

  /** What is known of a call's question; undefined where its result may not be kept at all. */
  ask(call: PlacedCall, nowMs = Date.now()): Question | undefined {
    const question = questionOf(call);
    const id = call.exchange.head?.id;
    if (question === undefined || id === undefined) return undefined;
    const opened = isOpened(call);
    const askedAt = this.#forgotten;
    const ttlMsMax = call.tenant.flags.result_cache ? TTL_MS_MAX : 0;
    // A list that came in while its tenant was opening them may be kept as private still.
    const own = opened && question.lists ? undefined : this.#find(question.keys.private, nowMs);
    const kept = own ?? (opened ? this.#find(question.keys.public, nowMs) : undefined);
    return {
      answer:
        kept !== undefined && ttlMsMax > 0 ? Buffer.from(messageOf(id, kept.start, kept.untilMs - nowMs)) : undefined,
      keep: (message) =>
        this.#keep(
          question,
          { lists: opened ? 'opened' : 'closed', ttlMsMax, isFresh: () => this.#forgotten === askedAt },
          message,
        ),
    };
  }

  /** Forgets a tenant's results; with `*` all. */
  forget(tenantId: string): void {
    this.#forgotten += 1;
    this.#drop(tenantId);
  }

  #drop(tenantId: string): void {
    if (tenantId === '*') return this.#kept.clear();
    for (const [key, kept] of this.#kept.entries()) if (kept.tenantId === tenantId) this.#kept.delete(key);
  }

  #find(key: string, nowMs: number): KeptResult | undefined {
    const kept = this.#kept.get(key);
    return kept === undefined || kept.untilMs <= nowMs ? undefined : kept;
  }

  #keep(question: CacheQuestion, { lists, ttlMsMax, isFresh }: Keeping, message: Buffer): Buffer {
    const parsed = resultIn(message);
    if (parsed === undefined) return message;
    const { ttlMs, cacheScope, ...members } = parsed.result;
    const scope = scopeOf(cacheScope, question, lists);
    const ttl = typeof ttlMs === 'number' && Number.isSafeInteger(ttlMs) ? Math.min(ttlMs, ttlMsMax) : 0;
    const start = JSON.stringify({ ...members, cacheScope: scope }).slice(0, -1);
    if (ttl > 0 && isFresh())
      this.#put(question.keys[scope], { tenantId: question.tenantId, start, untilMs: Date.now() + ttl });
    return scope === cacheScope ? message : Buffer.from(messageOf(parsed.id, start, Number(ttlMs ?? 0)));
  }

  #put(key: string, kept: KeptResult): void {
    const bytes = sizeOf(kept);
    if (bytes > this.#bounds.result) return;
    this.#kept.delete(key);
    if ((this.#heldBytes.get(kept.tenantId) ?? 0) + bytes > this.#bounds.tenant) this.#drop(kept.tenantId);
    this.#count(kept.tenantId, bytes);
    this.#kept.set(key, kept);
  }

  #count(tenantId: string, bytes: number): void {
    const held = (this.#heldBytes.get(tenantId) ?? 0) + bytes;
    if (held === 0) this.#heldBytes.delete(tenantId);
    else this.#heldBytes.set(tenantId, held);
  }
}

/** Whether the tenant has opened the lists of all servers at this URL. */
function isOpened({ tenant, route }: PlacedCall): boolean {
  return route.mounts.every(
    ({ serverSlug }) => tenant.servers.find(({ slug }) => slug === serverSlug)?.publicLists === true,
  );
}

/** Lists that were opened are public; else the server's own word counts, where the tenant lets it. */
function scopeOf(said: unknown, question: CacheQuestion, lists: 'opened' | 'closed'): 'public' | 'private' {
  return lists === 'opened' && (question.lists || said === 'public') ? 'public' : 'private';
}

/** The complete result of a message, where it says for whom it may be kept. */
function resultIn(message: Buffer): { readonly id: RequestId; readonly result: Record<string, unknown> } | undefined {
  if (!message.includes('"cacheScope"')) return undefined;
  const { id, result } = JSON.parse(message.toString()) as { id: RequestId; result?: Record<string, unknown> }; // a worker's JSON-RPC answer
  return result?.['resultType'] === 'complete' && 'cacheScope' in result ? { id, result } : undefined;
}

function messageOf(id: RequestId, start: string, ttlMs: number): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${start},"ttlMs":${ttlMs}}}`;
}

function sizeOf({ start }: KeptResult): number {
  return start.length * 2 + ENTRY_BYTES;
}
