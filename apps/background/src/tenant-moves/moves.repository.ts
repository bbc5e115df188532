import type { Client } from 'pg';
import type { Transaction } from '#libs/database';
import { CopyRefused } from './copy/copy-refused.js';
import type { TableDigest } from './copy/table-stream.js';

/**
 * A tenant's move from one database to another. It is asked for by operators, and by the deletion of a tenant that is due; what is done here:
 *
 *     waiting ──► leaving     the target was looked at; nobody reads or writes the tenant's rows from here on
 *     leaving ──► copied      those who still wrote have ended, and every row of one moment is in the target
 *     copied ───► compared    the target was read again, and has what was read from the source
 *     compared ─► switched    the tenant is at home in the target, and open again
 *     switched ─► done        the rows that it left behind are gone
 *
 *     leaving, copied, compared ─► reopened ─► failed    it is at home where it was, and open; then what was copied is gone
 *     waiting ───────────────────► failed
 *
 * An operator may take it back (`abandoned`), and who moves gives it up after some tries, until the target begins to be the
 * tenant's home (`settling_at`): from there it goes on to the end.
 *
 * Each step says in the common database that it is done, and does no harm where it is done again.
 */
export interface Move {
  readonly id: string;
  readonly tenant_id: string;
  /** Null: the common database. */
  readonly from_database: string | null;
  readonly to_database: string | null;
  readonly state: 'waiting' | 'leaving' | 'copied' | 'compared' | 'switched' | 'reopened' | 'done' | 'failed';
  readonly reason: string;
  /** The operator; null: the platform itself, for a deletion that is due. */
  readonly requested_by: string | null;
  readonly closed_at: Date | null;
  /** Since then the target may be the tenant's home. */
  readonly settling_at: Date | null;
  /** Why an operator took it back. */
  readonly abandoned: string | null;
  readonly content: MovedContent | null;
  readonly attempts: number;
}

/** What was read of a tenant where it comes from. */
export interface MovedContent {
  readonly tables: readonly TableDigest[];
  readonly checkpoint: Checkpoint | null;
  /** Accounts of people who have lost their address on the way; a digest of what arrived says nothing of them. */
  readonly unaddressed?: readonly string[];
}

/** The newest checkpoint of a tenant's audit log. */
export interface Checkpoint {
  readonly size: string;
  readonly note: string;
}

/** Moves that are not over, the oldest first. */
export async function findOpenMoves(
  tx: Transaction,
  limit: number,
): Promise<Array<Pick<Move, 'id' | 'tenant_id' | 'state' | 'attempts'>>> {
  return tx.query(
    `select id, tenant_id, state, attempts from tenant_moves where state not in ('done', 'failed')
     order by requested_at limit $1`,
    [limit],
  );
}

/** Takes a move for as long as the connection lasts; false where another process has it. */
export async function holdMove(client: Client, moveId: string): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(
    `select pg_try_advisory_lock(hashtextextended('tenant-move:' || $1, 0)) as held`,
    [moveId],
  );
  return rows[0]?.held ?? false;
}

/** A move as it is now. @throws Error where there is none */
export async function getMove(client: Client, moveId: string): Promise<Move> {
  const { rows } = await client.query<Move>(
    `select id, tenant_id, from_database, to_database, state, reason, requested_by, closed_at, settling_at, abandoned, content, attempts
     from tenant_moves where id = $1`,
    [moveId],
  );
  const [move] = rows;
  if (move === undefined) throw new Error(`there is no move ${moveId}`);
  return move;
}

/** Times that states stand for. */
const STAMPS: Partial<Record<Move['state'], string>> = {
  leaving: ', closed_at = coalesce(closed_at, now())',
  switched: ', opened_at = now()',
  reopened: ', opened_at = now()',
  done: ', ended_at = now()',
  failed: ', ended_at = now()',
};

/** Notes that a step is done, and why where a move goes back. */
export async function moveTo(client: Client, move: Move, state: Move['state'], failure?: string): Promise<void> {
  await client.query(
    `update tenant_moves set state = $2, failure = case $2 when 'failed' then coalesce($3, failure) else $3 end, attempts = 0${STAMPS[state] ?? ''} where id = $1`,
    [move.id, state, failure ?? null],
  );
}

/** Notes what was read so far of a tenant, or all of it. @throws CopyRefused where an operator has taken the move back */
export async function noteContent(client: Client, move: Move, content: MovedContent): Promise<void> {
  const { rows } = await client.query<Pick<Move, 'abandoned'>>(
    `update tenant_moves set content = $2 where id = $1 returning abandoned`,
    [move.id, JSON.stringify(content)],
  );
  const abandoned = rows[0]?.abandoned ?? null;
  if (abandoned !== null) throw new CopyRefused(abandonedFor(abandoned));
}

/** Notes that the target begins to be the tenant's home; false where an operator was quicker to take the move back. */
export async function beginSettling(client: Client, move: Move): Promise<boolean> {
  const { rowCount } = await client.query(
    `update tenant_moves set settling_at = coalesce(settling_at, now())
     where id = $1 and (abandoned is null or settling_at is not null)`,
    [move.id],
  );
  return rowCount === 1;
}

/** Whether the tenant can still be at home where it was: later, it may be at home in the target already. */
export function canGoBack({ state, settling_at: settlingAt }: Pick<Move, 'state' | 'settling_at'>): boolean {
  return (
    state === 'waiting' || state === 'leaving' || state === 'copied' || (state === 'compared' && settlingAt === null)
  );
}

/** Why a move failed that an operator took back. */
export function abandonedFor(reason: string): string {
  return `An operator took it back: ${reason}`;
}

/**
 * Takes a tenant's rows in one database for as long as the connection lasts: who has lost the move, and with it the
 * connection to the common database, may still be deleting here. @throws Error; the step is tried again
 */
export async function holdRows(client: Client, tenantId: string): Promise<void> {
  const { rows } = await client.query<{ held: boolean }>(
    `select pg_try_advisory_lock(hashtextextended('tenant-move-rows:' || $1, 0)) as held`,
    [tenantId],
  );
  if (rows[0]?.held !== true) throw new Error('another process still works on the rows of the tenant in this database');
}

/** A move that was not made, of which the tenant's log does not say so yet. */
export interface UntoldEnd extends Pick<Move, 'id' | 'tenant_id' | 'to_database' | 'reason'> {
  /** When the tenant was open again, or, where it was never closed, when the move was given up. */
  readonly ended_at: Date;
}

/** Moves that were not made and whose tenants' logs do not say so, the oldest first. */
export async function findUntoldEnds(tx: Transaction, limit: number): Promise<UntoldEnd[]> {
  return tx.query(
    `select id, tenant_id, to_database, reason, coalesce(opened_at, ended_at) as ended_at from tenant_moves
     where state in ('reopened', 'failed') and told_at is null order by requested_at limit $1`,
    [limit],
  );
}

/** Notes that a tenant's log says that a move was not made. */
export async function noteTold(tx: Transaction, moveId: string): Promise<void> {
  await tx.query(`update tenant_moves set told_at = now() where id = $1`, [moveId]);
}

/** Notes that a step did not succeed; it is tried again. */
export async function noteAttempt(tx: Transaction, moveId: string, trouble: string): Promise<void> {
  await tx.query(`update tenant_moves set attempts = attempts + 1, failure = $2 where id = $1`, [
    moveId,
    trouble.slice(0, 1_000),
  ]);
}

/** The newest checkpoint of the tenant of the transaction. */
export async function newestCheckpoint(client: Client, tenantId: string): Promise<Checkpoint | null> {
  const { rows } = await client.query<Checkpoint>(
    `select size::text, note from audit_checkpoints where tenant_id = $1 order by size desc limit 1`,
    [tenantId],
  );
  return rows[0] ?? null;
}
