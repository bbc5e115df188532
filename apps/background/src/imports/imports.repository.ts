import type { Transaction } from '#libs/database';

/*
 * An import is
 *
 *     uploading ──► waiting ──► checking ──► writing ──► done
 *         │            │            └───────────┴──────► failed       and its sentence says why; nothing of it is seen
 *         └────────────┴──► cancelled                                 by an operator, or a day after nobody went on
 *
 *     failed ──► waiting      by an operator, while its parts are kept: where the archive itself was not at fault
 *
 * `done` is written in the transaction that writes the tenant. A run that is cut off leaves `checking` or `writing` behind
 * with a time until which it is its own; then another one begins anew.
 */

/** An import in somebody's hands. */
export interface TakenImport {
  readonly id: string;
  readonly run_id: string;
  readonly bytes: number;
  readonly digest: string;
  readonly trusted: readonly string[];
  readonly slug: string | null;
  readonly plan: string;
  readonly home_region: string | null;
  readonly reason: string;
  readonly requested_by: string;
  readonly sealed: Buffer | null;
  readonly attempts: number;
}

/** How often an import is begun: one that ends its process each time would end it for ever. */
export const ATTEMPTS_MAX = 3;

/** How long what can be tried again keeps its parts. */
const KEPT = `now() + interval '3 days'`;

/** Longer than two beats of a run that lives. */
const RUN_LEFT = `now() + interval '2 minutes'`;

/** Takes the import that waits, or whose run was cut off; undefined where there is none. */
export async function takeImport(tx: Transaction, runId: string): Promise<TakenImport | undefined> {
  const [rows]: [TakenImport[], number] = await tx.query(
    `update tenant_imports set state = 'checking', run_id = $1, run_until = ${RUN_LEFT}, attempts = attempts + 1, progress = '{}'
     where id = (select id from tenant_imports where state = 'waiting'
         or (state in ('checking', 'writing') and run_until < now() and attempts < ${ATTEMPTS_MAX}) order by created_at limit 1 for update skip locked)
     returning id, run_id, bytes::float8 as bytes, digest, trusted, slug, plan, home_region, reason, requested_by, sealed, attempts`,
    [runId],
  );
  return rows[0];
}

/** Says how far a run is, and that it lives; false where it is another's by now. */
export async function keepRun(
  tx: Transaction,
  { id, run_id: runId }: TakenImport,
  state: 'checking' | 'writing',
  progress: object,
): Promise<boolean> {
  const [rows]: [unknown[], number] = await tx.query(
    `update tenant_imports set state = $3, progress = $4, run_until = ${RUN_LEFT}
     where id = $1 and run_id = $2 and state in ('checking', 'writing') returning id`,
    [id, runId, state, JSON.stringify(progress)],
  );
  return rows.length > 0;
}

/** Closes an import in the transaction that wrote its tenant; false where the run is another's by now. */
export async function endImport(
  tx: Transaction,
  { id, run_id: runId }: TakenImport,
  { tenantId, slug }: { readonly tenantId: string; readonly slug: string },
): Promise<boolean> {
  const [rows]: [unknown[], number] = await tx.query(
    `update tenant_imports set state = 'done', imported_id = $3, imported_slug = $4, ended_at = now(), sealed = null,
       root_key_id = null
     where id = $1 and run_id = $2 and state = 'writing' returning id`,
    [id, runId, tenantId, slug],
  );
  return rows.length > 0;
}

/** Closes an import that failed, with the sentence that says why, and keeps its parts where another run could do. */
export async function failImport(
  tx: Transaction,
  { id, run_id: runId }: TakenImport,
  { failure, parts }: { readonly failure: string; readonly parts: 'kept' | 'of no use' },
): Promise<void> {
  await tx.query(
    `update tenant_imports set state = 'failed', failure = $3, ended_at = now(), sealed = null, root_key_id = null,
       kept_until = case when $4 then ${KEPT} end
     where id = $1 and run_id = $2 and state in ('checking', 'writing')`,
    [id, runId, failure, parts === 'kept'],
  );
}

/** Lets a run go, so that another one begins at once; `uncounted` of its attempts are nobody's fault. */
export async function releaseImport(
  tx: Transaction,
  { id, run_id: runId }: TakenImport,
  uncounted: 0 | 1,
): Promise<void> {
  await tx.query(
    `update tenant_imports set run_until = now() - interval '1 second', attempts = attempts - $3
     where id = $1 and run_id = $2 and state in ('checking', 'writing')`,
    [id, runId, uncounted],
  );
}

/** The digest and content of one part. */
export async function readPart(tx: Transaction, importId: string, number: number): Promise<Buffer | undefined> {
  const rows: Array<{ content: Buffer }> = await tx.query(
    `select content from tenant_import_parts where import_id = $1 and number = $2`,
    [importId, number],
  );
  return rows[0]?.content;
}

/** Cancels what nobody goes on uploading, and fails what was cut off too often. */
export async function tidyImports(tx: Transaction): Promise<void> {
  await tx.query(
    `update tenant_imports set state = 'cancelled', failure = 'It was not begun within a day.', ended_at = now()
     where state = 'uploading' and expires_at < now()`,
  );
  await tx.query(
    `update tenant_imports set state = 'failed', ended_at = now(), sealed = null, root_key_id = null, kept_until = ${KEPT},
       failure = 'The import was cut off each time that it was begun, and nothing was changed. The platform’s log says more.'
     where state in ('checking', 'writing') and run_until < now() and attempts >= ${ATTEMPTS_MAX}`,
  );
}

/** Deletes some of the bytes of what has ended; returns how many parts. */
export async function deleteEndedParts(tx: Transaction, limit: number): Promise<number> {
  const [, deleted]: [unknown, number] = await tx.query(
    `delete from tenant_import_parts where (import_id, number) in (
       select p.import_id, p.number from tenant_import_parts p join tenant_imports i on i.id = p.import_id
       where i.state in ('done', 'cancelled') or (i.state = 'failed' and coalesce(i.kept_until < now(), true)) limit $1)`,
    [limit],
  );
  return deleted;
}
