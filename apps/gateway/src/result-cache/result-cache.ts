import type { RequestId } from '../edge/exchange.js';
import type { PlacedCall } from '../sessions/place.js';
import { KeptAnswers, type CacheBounds } from './kept-answers.js';
import { questionOf, type CacheQuestion } from './question.js';

const BOUNDS: CacheBounds = { result: 1024 * 1024, tenant: 8 * 1024 * 1024, total: 128 * 1024 * 1024 };
/** However long a result says that it may be kept. */
const TTL_MS_MAX = 300_000;

/** How an answer may be kept. */
interface Keeping {
  readonly servers: readonly string[];
  readonly lists: 'opened' | 'closed';
  readonly ttlMsMax: number;
  /** Whether nothing was forgotten since it was asked for. */
  readonly isFresh: () => boolean;
}

/** A message and, while it is kept, how to ask for it again. */
export interface Question {
  /** The answer from before. */
  readonly answer: Buffer | undefined;
  /** Takes a worker's answer, and whether that is its caller's own (`CallFacts.own`); returns it as its caller may see it. */
  keep(message: Buffer, whose?: 'own' | 'anybody'): Buffer;
}

/**
 * Results that say how long they may be kept (lists, prompts, resources of the 2026 era), in this process only and
 * nowhere else. Private ones are kept for their principal, and all are private unless their tenant has opened its
 * lists; a worker's word that one is its caller's own stands above that. A change of the tenant's rows, such as a release,
 * drops them all, and what a server says of its lists those that it has a part in. For a tenant without the feature nothing
 * is kept, and what is private is marked so all the same.
 */
export class ResultCache {
  readonly #kept: KeptAnswers;

  constructor(bounds: CacheBounds = BOUNDS) {
    this.#kept = new KeptAnswers(bounds);
  }

  /** What is known of a call's question; undefined where its result may not be kept at all. */
  ask(call: PlacedCall, nowMs = Date.now()): Question | undefined {
    const question = questionOf(call);
    const id = call.exchange.head?.id;
    if (question === undefined || id === undefined) return undefined;
    const { tenantId } = question;
    const opened = isOpened(call);
    const mark = this.#kept.mark(tenantId);
    const ttlMsMax = call.tenant.flags.result_cache ? TTL_MS_MAX : 0;
    const kept = ttlMsMax === 0 ? undefined : this.#find(question, opened, nowMs);
    const keeping: Keeping = {
      servers: call.route.mounts.map(({ serverSlug }) => serverSlug),
      lists: opened ? 'opened' : 'closed',
      ttlMsMax,
      isFresh: () => this.#kept.mark(tenantId) === mark,
    };
    return {
      answer: kept && Buffer.from(messageOf(id, kept.start, kept.untilMs - nowMs)),
      keep: (message, whose = 'anybody') => this.#keep(question, keeping, { message, own: whose === 'own' }),
    };
  }

  /** Forgets a tenant's results, or those that some of its servers had a part in; with `*` all. */
  forget(tenantId: string, servers?: readonly string[]): void {
    this.#kept.forget(tenantId, servers);
  }

  #find({ keys, lists }: CacheQuestion, opened: boolean, nowMs: number) {
    const own = this.#kept.find(keys.private, nowMs);
    // A list that came in while its tenant was opening them may be kept as private still.
    if (own !== undefined && (own.own || !opened || !lists)) return own;
    return opened ? this.#kept.find(keys.public, nowMs) : undefined;
  }

  #keep(
    question: CacheQuestion,
    { lists, ttlMsMax, isFresh, servers }: Keeping,
    { message, own }: { readonly message: Buffer; readonly own: boolean },
  ): Buffer {
    const parsed = resultIn(message);
    if (parsed === undefined) return message;
    const { ttlMs, cacheScope, ...members } = parsed.result;
    const scope = own ? 'private' : scopeOf(cacheScope, question, lists);
    const ttl = typeof ttlMs === 'number' && Number.isSafeInteger(ttlMs) ? Math.min(ttlMs, ttlMsMax) : 0;
    const start = JSON.stringify({ ...members, cacheScope: scope }).slice(0, -1);
    const { tenantId, keys } = question;
    if (ttl > 0 && isFresh()) this.#kept.put(keys[scope], { tenantId, servers, own, start, untilMs: Date.now() + ttl });
    return scope === cacheScope ? message : Buffer.from(messageOf(parsed.id, start, Number(ttlMs ?? 0)));
  }
}

/** Whether the tenant has opened the lists of all servers at this URL; where there is none, nothing was opened. */
function isOpened({ tenant, route: { mounts } }: PlacedCall): boolean {
  const isPublic = (serverSlug: string): boolean =>
    tenant.servers.find(({ slug }) => slug === serverSlug)?.publicLists === true;
  return mounts.length > 0 && mounts.every(({ serverSlug }) => isPublic(serverSlug));
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
