import type { Transaction } from './connection/transaction.js';

/** Who an operator is and why they act; stored with every operator transaction. */
export interface OperatorAct {
  readonly operatorId: string;
  /** The operation's name, for example `tenants.suspend`. */
  readonly action: string;
  readonly reason: string;
  readonly tenantId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** `done` unless it or its work says otherwise. */
  readonly outcome?: ActOutcome;
}

/**
 * What can come of an act. `unchanged`: there was nothing to change. `asked`: it is done outside the database from here on, and
 * another record says what came of that.
 */
export const ACT_OUTCOMES = ['done', 'unchanged', 'asked', 'failed'] as const;

/** What came of an act. */
export type ActOutcome = (typeof ACT_OUTCOMES)[number];

/** What the work of an act says of it before it is written. */
export class ActNote {
  #outcome: ActOutcome | undefined;
  #details: Readonly<Record<string, unknown>> = {};

  /** Says that there was nothing to change. */
  unchanged(): void {
    this.#outcome = 'unchanged';
  }

  /** Adds to what is written of the act. */
  tell(details: Readonly<Record<string, unknown>>): void {
    this.#details = { ...this.#details, ...details };
  }

  /** The act with all that is written of it. */
  complete(act: OperatorAct): OperatorAct {
    return { ...act, details: { ...act.details, ...this.#details }, outcome: this.#outcome ?? act.outcome ?? 'done' };
  }
}

/** What an operator does; it may say what is to be written of it. */
export type ActWork<Result> = (tx: Transaction, note: ActNote) => Promise<Result>;

/** Writes what an operator does, and what came of it, to the platform's audit. */
export async function recordAct(tx: Transaction, act: OperatorAct, note = new ActNote()): Promise<void> {
  const { operatorId, action, reason, tenantId, details, outcome } = note.complete(act);
  await tx.query(
    `insert into operator_actions (operator_id, action, reason, tenant_id, details) values ($1, $2, $3, $4, $5)`,
    [operatorId, action, reason, tenantId ?? null, JSON.stringify({ ...details, outcome })],
  );
}

/** Does an operator's work and writes the act after it, in one transaction of the common database. */
export async function recorded<Result>(tx: Transaction, act: OperatorAct, work: ActWork<Result>): Promise<Result> {
  const note = new ActNote();
  const result = await work(tx, note);
  await recordAct(tx, act, note);
  return result;
}
