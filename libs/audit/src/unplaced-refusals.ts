import type { Database } from '#libs/database';

/** Of so many rules, and of so many addresses for each, one record tells; what is beyond is counted with the last. */
const RULES_MAX = 64;
const ADDRESSES_MAX = 10;
const ADDRESS_CHARACTERS_MAX = 64;
const OTHER_RULES = 'other';
/** The first refusal after a quiet minute is recorded almost at once; those that follow, once a minute. */
const FIRST_MS = 1_000;
const EVERY_MS = 60_000;

/** What is told of the refusals by one rule. */
interface Told {
  count: number;
  readonly firstAt: string;
  lastAt: string;
  readonly addresses: Set<string>;
  /** Others were refused too, whose addresses are not kept. */
  hasMore: boolean;
}

/** What counting refusals rests on. */
export interface UnplacedRefusalsParts {
  /** As a service that may say what it refused. */
  readonly database: Pick<Database, 'asService'>;
  readonly logger: { warn(details: object, message: string): void };
}

/**
 * Counts refusals that concern no tenant, so that no tenant's log can have them, and writes them to the platform's own:
 * what was refused by which rule, how often, between when, and to the first ten addresses. Nobody can make it write more
 * than a record a minute. While the database is away it goes on counting; when its process is killed, what it counted
 * since the last record is lost.
 */
export class UnplacedRefusals {
  #counted = new Map<string, Told>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #writtenMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: UnplacedRefusalsParts) {}

  /** Counts one; the rule is one of ours, never what a caller sent. */
  note(rule: string, address: string): void {
    const at = new Date().toISOString();
    const told = this.#toldOf(rule, at);
    told.count += 1;
    told.lastAt = at;
    addAddress(told, address.slice(0, ADDRESS_CHARACTERS_MAX));
    this.#later();
  }

  /** Writes what is still to be written. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
    clearTimeout(this.#timer);
  }

  /** What is told of a rule, or of all those beyond the bound. */
  #toldOf(rule: string, firstAt: string): Told {
    const counted = this.#counted;
    const name = counted.has(rule) || counted.size < RULES_MAX - 1 ? rule : OTHER_RULES;
    const told = counted.get(name) ?? { count: 0, firstAt, lastAt: firstAt, addresses: new Set(), hasMore: false };
    counted.set(name, told);
    return told;
  }

  #later(): void {
    if (this.#timer !== undefined) return;
    const waitMs = Math.max(FIRST_MS, this.#writtenMs + EVERY_MS - performance.now());
    this.#timer = setTimeout(() => (this.#writing = this.#write()), waitMs);
    this.#timer.unref();
  }

  async #write(): Promise<void> {
    const counted = this.#counted;
    this.#counted = new Map();
    this.#timer = undefined;
    this.#writtenMs = performance.now();
    if (counted.size === 0) return;
    try {
      const details = JSON.stringify({ refusals: [...counted].map(([rule, told]) => shown(rule, told)) });
      await this.parts.database.asService((tx) =>
        // Who writes it, and that it is the platform's, the table itself says.
        tx.query(
          `insert into operator_actions (action, reason, details) values ('refusals.counted', 'no tenant', $1)`,
          [details],
        ),
      );
    } catch (error) {
      this.parts.logger.warn({ err: error }, 'refusals could not be recorded; they are counted on');
      this.#takeBack(counted);
    }
  }

  #takeBack(unwritten: Map<string, Told>): void {
    const since = this.#counted;
    this.#counted = unwritten;
    for (const [rule, { count, firstAt, lastAt, addresses, hasMore }] of since) {
      const told = this.#toldOf(rule, firstAt);
      told.count += count;
      told.lastAt = lastAt;
      told.hasMore ||= hasMore;
      for (const address of addresses) addAddress(told, address);
    }
    this.#later();
  }
}

function addAddress(told: Told, address: string): void {
  if (told.addresses.has(address)) return;
  if (told.addresses.size < ADDRESSES_MAX) told.addresses.add(address);
  else told.hasMore = true;
}

function shown(rule: string, { count, firstAt, lastAt, addresses, hasMore }: Told): object {
  return { rule, count, first_at: firstAt, last_at: lastAt, addresses: [...addresses], more_addresses: hasMore };
}
