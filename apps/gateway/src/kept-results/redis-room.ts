import { mastersOf, type RedisStore } from '#libs/redis';
import type { Logger } from '#libs/telemetry';

/** Of what Redis may hold, this part is for results at most. */
const SHARE = 1 / 4;
/** Where more of Redis than this is used, by whatever it is, the rest is for what the platform cannot do without. */
const USED_MAX = 0.7;
const LOOK_MS = 5_000;

/** What Redis says of its memory; `max` is 0 where nothing but the machine bounds it. */
interface Memory {
  readonly used: number;
  readonly max: number;
}

/**
 * How much of Redis results may take. Sessions, limits and streams live there too, and a Redis that is full refuses to write
 * for all tenants; so its own `maxmemory` bounds results as well, whatever is configured.
 */
export class RedisRoom {
  #bytes: number;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #told = '';

  constructor(
    private readonly redis: RedisStore,
    private readonly logger: Pick<Logger, 'warn'>,
    /** As configured, of all tenants. */
    private readonly bytesMax: number,
  ) {
    this.#bytes = bytesMax;
  }

  /** Bytes that all results together may take now, as Redis was some seconds ago; 0 while it is too full. */
  async bytes(): Promise<number> {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < LOOK_MS) return this.#bytes;
    this.#lookedAtMs = nowMs;
    // Where Redis is away nothing is kept anyway, and one that does not tell is used as configured.
    const told = await Promise.all(mastersOf(this.redis).map((node) => node.info('memory').catch(() => '')));
    const memory = fullestOf(told.flatMap((info) => memoryIn(info) ?? []));
    if (memory !== undefined) this.#bytes = this.#judge(memory);
    return this.#bytes;
  }

  #judge({ used, max }: Memory): number {
    if (max === 0) return this.#tell('', this.bytesMax);
    if (used > max * USED_MAX) {
      const full = `More than ${USED_MAX * 100} % of Redis is used: large answers are cut and not kept. Raise its maxmemory.`;
      return this.#tell(full, 0, { used, max });
    }
    const share = Math.floor(max * SHARE);
    if (this.bytesMax <= share) return this.#tell('', this.bytesMax);
    const small =
      `Large answers may take a quarter of Redis (${share} bytes) and not WHARF_KEPT_RESULT_BYTES_MAX (${this.bytesMax}). ` +
      `Raise maxmemory of Redis to ${this.bytesMax * 4}, or set WHARF_KEPT_RESULT_BYTES_MAX to ${share}.`;
    return this.#tell(small, share, { used, max });
  }

  /** Says so once, until it is another thing that is to be said. */
  #tell(warning: string, bytes: number, memory: object = {}): number {
    if (warning !== '' && warning !== this.#told) this.logger.warn(memory, warning);
    this.#told = warning;
    return bytes;
  }
}

/** Of several nodes the one with the least room decides, whichever results are on. */
function fullestOf(memories: readonly Memory[]): Memory | undefined {
  const room = ({ used, max }: Memory): number => (max === 0 ? Infinity : Math.min(max * SHARE, max * USED_MAX - used));
  return memories.toSorted((left, right) => room(left) - room(right))[0];
}

function memoryIn(info: string): Memory | undefined {
  const used = numberIn(info, 'used_memory');
  const max = numberIn(info, 'maxmemory');
  return used === undefined || max === undefined ? undefined : { used, max };
}

function numberIn(info: string, name: string): number | undefined {
  const found = new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1];
  return found === undefined ? undefined : Number(found);
}
