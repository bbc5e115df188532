import { Inject, Injectable } from '@nestjs/common';
import type { EventDetails } from '#libs/audit';
import { ActNote, newId, type Database, type OperatorAct } from '#libs/database';
import { AppError } from '#libs/errors';
import type { Logger } from '#libs/telemetry';
import { actorOf, type OperatorCaller } from '../access/caller.js';
import { LOGGER, OPERATOR_DATABASE } from '../platform/tokens.js';
import { keepNotes, settleNotes, type TenantNote } from './operator-notes.repository.js';
import { TenantNotes } from './tenant-notes.js';

/** What whoever carries an order out says of it. */
export class OrderNote extends ActNote {
  readonly tenantNotes: TenantNote[] = [];

  /** Has a tenant's log say something that nobody knew before the order was given. */
  note(note: TenantNote): void {
    this.tenantNotes.push(note);
  }
}

/** An act that is done outside the database, and what the logs of tenants are to say of it. */
export interface Order {
  readonly act: OperatorAct;
  readonly tells?: readonly TenantNote[];
}

/**
 * Has things done that no transaction can hold: at worker-runtimes, in Redis. That it is asked for is on record before, what
 * came of it after; the details of both name the `order`. One without a second record was `asked`, and its end is not known. Only
 * the common database is needed: what tenants' logs are to say waits there while their own are away.
 */
@Injectable()
export class OperatorOrders {
  readonly #notes: TenantNotes;

  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#notes = new TenantNotes(database, logger);
  }

  /** Throws what `work` throws, once that is on record. */
  async give<Result>({ act, tells = [] }: Order, work: (note: OrderNote) => Promise<Result>): Promise<Result> {
    const order = newId();
    const named = { ...act, details: { ...act.details, order } };
    await this.database.asOperatorInCommon({ ...named, outcome: 'asked' }, (tx) => keepNotes(tx, order, tells));
    const note = new OrderNote();
    try {
      const result = await work(note);
      await this.#settle(order, note.complete(named), note);
      return result;
    } catch (error) {
      note.tell({ failure: error instanceof AppError ? error.code : 'internal' });
      await this.#settle(order, { ...note.complete(named), outcome: 'failed' }, note);
      throw error;
    }
  }

  /** What was done is done: where it cannot be recorded, the first record stands alone, and the service's log says so. */
  async #settle(order: string, act: OperatorAct, { tenantNotes }: OrderNote): Promise<void> {
    const { action, outcome = 'done' } = act;
    try {
      const due = await this.database.asOperatorInCommon(act, async (tx) => {
        await keepNotes(tx, order, tenantNotes);
        return settleNotes(tx, order, outcome === 'done' ? 'ok' : outcome);
      });
      await this.#notes.tellSoon(due);
    } catch (error) {
      this.logger.error({ err: error, action, order, outcome }, 'the end of an order is not on record');
    }
  }
}

/** What a tenant's log is to say of what this operator does to it; of the tenant where no other target is named. */
export function tenantNote(
  { origin, ...caller }: OperatorCaller,
  tenantId: string,
  entry: EventDetails<'tenant.workers_stopped' | 'session.ended'> & { readonly target?: string },
): TenantNote {
  const target = entry.target ?? `tenant:${tenantId}`;
  return { tenantId, entry: { ...entry, target, actor: actorOf({ origin, ...caller }), ...origin } };
}
