import { appendAudit } from '#libs/audit';
import { BatchSweep, type Database, type Transaction } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import {
  claimEvents,
  keepEvent,
  noteTold,
  tenantsOf,
  type AccountEntry,
  type AccountEvent,
} from './account-events.repository.js';

/** Tenants of one database that are read at once. */
const TENANTS_MAX = 100;
/** A person waits no longer for what they did to be in the logs of their tenants. */
const SOON_MS = 1_000;
const EVERY_MS = 60_000;
const EVENTS_MAX = 100;

/**
 * Writes what happens to a person's sign-in to the log of every tenant they are a member of when it does. It is kept in the common
 * database first, and until every log has it: a database that is away, or a tenant on its way between two, keeps nobody
 * from signing in, and has the entry, of that time, when it is back.
 */
export class AccountAudit {
  constructor(
    private readonly database: Database,
    private readonly onLeft: (event: AccountEvent, trouble: unknown) => void,
  ) {}

  async record(accountId: string, address: string, entry: AccountEntry): Promise<void> {
    await this.tellSoon(await this.database.asService((tx) => this.keep(tx, accountId, address, entry)));
  }

  /** Keeps an entry in the transaction of what it is about; `tellSoon` once that is committed. */
  keep(tx: Transaction, accountId: string, address: string, entry: AccountEntry): Promise<AccountEvent> {
    return keepEvent(tx, accountId, address, entry);
  }

  /** Brings an entry to the logs, for which nobody waits longer than a second, nor fails: what is left, the sweep brings. */
  async tellSoon(event: AccountEvent): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, SOON_MS);
    const told = this.tell(event).catch((error: unknown) => error);
    void told.then((trouble) => {
      if (trouble !== undefined) this.onLeft(event, trouble);
      over.resolve();
    });
    await over.promise;
    clearTimeout(timer);
  }

  /** Brings an entry to the logs that do not have it, as far as they can be reached; returns why one could not. */
  async tell(event: AccountEvent): Promise<unknown> {
    const told = new Set(event.told);
    let trouble: unknown;
    const tried = await Promise.allSettled((await this.database.homes()).map((home) => this.#tenantsAt(home, event)));
    for (const found of tried) {
      if (found.status === 'rejected') trouble ??= found.reason;
      for (const tenantId of found.status === 'fulfilled' ? found.value : []) {
        if (told.has(tenantId)) continue;
        // Whatever is wrong at one tenant keeps the entry from no other; it is tried again.
        const written = this.#write(tenantId, event).then(() => told.add(tenantId));
        await written.catch((error: unknown) => (trouble ??= error));
      }
    }
    await this.database.asService((tx) => noteTold(tx, event.id, [...told], trouble === undefined ? 'none' : 'some'));
    return trouble;
  }

  /** Brings entries that are kept to the logs that did not have them; returns how many are whole by now. */
  async tellKept(limit: number): Promise<number> {
    let whole = 0;
    for (const event of await this.database.asService((tx) => claimEvents(tx, limit))) {
      const trouble = await this.tell(event);
      if (trouble === undefined) whole += 1;
      else this.onLeft(event, trouble);
    }
    return whole;
  }

  async #tenantsAt(home: string | undefined, event: AccountEvent): Promise<string[]> {
    const found: string[] = [];
    for (;;) {
      const page = await this.database.asServiceAt(home, (tx) => tenantsOf(tx, event, found.at(-1), TENANTS_MAX));
      found.push(...page);
      if (page.length < TENANTS_MAX) return found;
    }
  }

  async #write(tenantId: string, { id, at, accountId, address, entry }: AccountEvent): Promise<void> {
    const whole = {
      ...entry,
      id,
      at,
      actor: { kind: 'person', id: accountId },
      target: `account:${accountId}`,
      sourceAddress: address,
    } as const;
    await this.database.asTenant(tenantId, (tx) => appendAudit(tx, tenantId, [whole]));
  }
}

/** The audit of accounts that says in the service's log what waits. */
export function accountAudit(database: Database, logger: Logger): AccountAudit {
  return new AccountAudit(database, ({ id }, trouble) =>
    logger.warn({ err: trouble, entry_id: id }, 'an entry about an account waits for a log that cannot be reached'),
  );
}

/** Brings what is kept to the logs that do not have it, now and every minute. */
export function accountEventSweep(database: Database, logger: Logger): BatchSweep {
  const audit = accountAudit(database, logger);
  return new BatchSweep({
    everyMs: EVERY_MS,
    deleteBatch: () => audit.tellKept(EVENTS_MAX),
    onSwept: (told) => logger.info({ told }, 'entries about accounts reached the logs that did not have them'),
    onFailed: (error) => logger.warn({ err: error }, 'entries about accounts could not be brought to every log'),
  });
}
