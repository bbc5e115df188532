import type { RedisStore } from '#libs/redis';
import type { Destination } from './steps.js';

const TRAIL_SECONDS = 15 * 60;
const MARKED_IN_A_SECOND_MAX = 200;
const SEVERAL = 'several';

/**
 * Sets where a mark leads: a place of the same tenant replaces the last one, a place of another tenant makes it
 * ambiguous until it is forgotten.
 */
const MARK = `
local before = redis.call('GET', KEYS[1])
local value = ARGV[1]
if before and before ~= value then
  if before == '${SEVERAL}' or string.sub(before, 1, 36) ~= string.sub(value, 1, 36) then value = '${SEVERAL}' end
end
redis.call('SET', KEYS[1], value, 'EX', ${TRAIL_SECONDS})
return 1`;

/**
 * Remembers for a quarter of an hour at which tenant's URL a visitor or client was seen, so that steps which name no
 * URL (authorization-server metadata, registration) can be shown to that tenant. Who was seen at two tenants is
 * shown to neither. It may be lost: then those steps are missing from an attempt.
 */
export class Trails {
  #second = 0;
  #marked = 0;

  constructor(private readonly redis: RedisStore) {}

  /** Notes that a mark was seen at a place; at most 200 a second, the rest is dropped. */
  async mark(mark: string, { tenantId, serverSlug, resource }: Destination): Promise<void> {
    const second = Math.floor(Date.now() / 1_000);
    if (second !== this.#second) [this.#second, this.#marked] = [second, 0];
    this.#marked += 1;
    if (this.#marked > MARKED_IN_A_SECOND_MAX) return;
    const value = `${tenantId} ${serverSlug ?? ''} ${resource}`;
    await this.redis.eval(MARK, 1, keyOf(mark), value).catch(() => undefined);
  }

  /** Where one of the marks leads; undefined where none does, or one leads to several tenants. */
  async find(marks: readonly string[]): Promise<Destination | undefined> {
    const values = await Promise.all(marks.map((mark) => this.redis.get(keyOf(mark)).catch(() => null)));
    if (values.includes(SEVERAL)) return undefined;
    const value = values.find((found) => found !== null);
    const [tenantId, serverSlug, resource] = value?.split(' ') ?? [];
    if (tenantId === undefined || resource === undefined) return undefined;
    return { tenantId, serverSlug: serverSlug === '' ? undefined : serverSlug, resource };
  }
}

function keyOf(mark: string): string {
  return `wharf:connect:${mark}`;
}
