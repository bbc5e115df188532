import { requireSchema, SchemaError, type ChangeListener, type Database } from '#libs/database';
import { readinessOf, type Readiness } from '#libs/http';
import type { RuntimeClient } from '#libs/protocol';
import type { RedisStore } from '#libs/redis';
import { AWAY_MS } from './routing/fresh-cache.js';

const DATABASE_MS = 1_500;

/** What a gateway needs to be of use. */
export interface ReadinessParts {
  readonly database: Pick<Database, 'asService' | 'dedicatedState' | 'hasDedicated'>;
  readonly redis: Pick<RedisStore, 'ping'>;
  readonly runtime: Pick<RuntimeClient, 'ready' | 'problems'>;
}

/** Tells whether a gateway can serve; without Redis it can, and without PostgreSQL for five minutes. */
export class GatewayReadiness {
  #databaseSeenMs = performance.now();

  constructor(private readonly parts: ReadinessParts) {}

  /** Looks at everything now. */
  read(listener: Pick<ChangeListener, 'connected'> | undefined): Promise<Readiness> {
    const { database, redis, runtime } = this.parts;
    return readinessOf({
      database: () => this.#database(),
      ...(database.hasDedicated ? { dedicated: () => database.dedicatedState() } : {}),
      // Limits and sessions have a fallback without Redis, so its absence is worth a warning and no more.
      redis: async () =>
        redis.ping().then(
          () => 'ok',
          () => 'warning: Redis is not reachable',
        ),
      runtime: async () => {
        if (!runtime.ready) throw new Error(runtime.problems[0] ?? 'no worker-runtime is connected');
      },
      changes: async () =>
        listener?.connected === true ? 'ok' : 'warning: changes are not heard of; routes are looked up every 2 s',
    });
  }

  /** A gateway that is taken out while the database is away could not serve what it knows. */
  async #database(): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('PostgreSQL does not answer')), DATABASE_MS);
    });
    try {
      await Promise.race([requireSchema(this.parts.database), late]);
      this.#databaseSeenMs = performance.now();
      return 'ok';
    } catch (error) {
      if (error instanceof SchemaError) throw error;
      const awayMs = performance.now() - this.#databaseSeenMs;
      if (awayMs > AWAY_MS) throw error;
      const left = Math.ceil((AWAY_MS - awayMs) / 1_000);
      return `warning: PostgreSQL does not answer; tenants that were called before are served for ${left} s more`;
    } finally {
      clearTimeout(timer);
    }
  }
}
