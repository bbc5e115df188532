import { storableJson } from '#libs/audit';
import { CONTROLLER } from '#libs/rollouts';
import { newId, type Transaction } from '#libs/database';
import { toolAccess } from '#libs/protocol';
import type { Finding, WatchedServer } from './watched-server.js';

/** Where a candidate stands; `unusable` is none that could ever be released. */
export type CandidateState = 'pending' | 'queued' | 'rolling_out' | 'refused' | 'superseded' | 'withdrawn' | 'unusable';

/** How long settled candidates are kept. */
const KEPT_DAYS = 90;

/** A candidate to store. */
export interface NewCandidate {
  readonly fingerprint: string;
  readonly state: CandidateState;
  readonly releaseId: string | null;
  readonly effect: string | null;
  readonly summary: unknown;
  readonly problems: unknown;
  readonly reason: string | null;
}

/** A candidate that was found before. */
export interface KnownCandidate {
  readonly id: string;
  readonly state: CandidateState;
  readonly releaseId: string | null;
}

/** The candidate of this fingerprint for the live release; the caller holds the server's lock. */
export async function findCandidate(
  tx: Transaction,
  { tenantId, serverId, releaseId }: WatchedServer,
  fingerprint: string,
): Promise<KnownCandidate | undefined> {
  const rows: KnownCandidate[] = await tx.query(
    `select id, state, release_id as "releaseId" from drift_candidates
     where tenant_id = $1 and server_id = $2 and base_release_id = $3 and fingerprint = $4`,
    [tenantId, serverId, releaseId, fingerprint],
  );
  return rows[0];
}

/** Stores a candidate and forgets those that were settled long ago. */
export async function storeCandidate(
  tx: Transaction,
  { tenantId, serverId, releaseId }: WatchedServer,
  candidate: NewCandidate,
): Promise<void> {
  await tx.query(
    `delete from drift_candidates where tenant_id = $1 and server_id = $2 and state not in ('pending', 'queued')
       and seen_at < now() - make_interval(days => $3)`,
    [tenantId, serverId, KEPT_DAYS],
  );
  const json = (value: unknown): string | null => (value === null ? null : storableJson(value));
  await tx.query(
    `insert into drift_candidates (tenant_id, id, server_id, base_release_id, release_id, fingerprint, state, effect,
       summary, problems, reason)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      tenantId,
      newId(),
      serverId,
      releaseId,
      candidate.releaseId,
      candidate.fingerprint,
      candidate.state,
      candidate.effect,
      json(candidate.summary),
      json(candidate.problems),
      candidate.reason,
    ],
  );
}

/** Says that a candidate was seen again; `state` where it waits anew. */
export async function seeAgain(
  tx: Transaction,
  tenantId: string,
  id: string,
  anew?: { readonly state: CandidateState; readonly reason: string | null },
): Promise<void> {
  await tx.query(
    `update drift_candidates set seen_at = now(), state = coalesce($3, state),
       reason = case when $3::text is null then reason else $4 end
     where tenant_id = $1 and id = $2`,
    [tenantId, id, anew?.state ?? null, anew?.reason ?? null],
  );
}

/** Ends the waiting of a server's candidates but one; returns how many waited. */
export async function settleOthers(
  tx: Transaction,
  { tenantId, serverId, releaseId }: WatchedServer,
  state: 'superseded' | 'withdrawn',
  but: string | null,
): Promise<number> {
  const [, settled] = await tx.query(
    `update drift_candidates set state = $3, reason = null
     where tenant_id = $1 and server_id = $2 and state in ('pending', 'queued')
       and (fingerprint is distinct from $4 or base_release_id <> $5)`,
    [tenantId, serverId, state, but, releaseId],
  );
  return settled;
}

/** How many candidates of a server were new within a day. */
export async function countNew(tx: Transaction, { tenantId, serverId }: WatchedServer): Promise<number> {
  const rows: [{ count: number }] = await tx.query(
    `select count(*)::int as count from drift_candidates
     where tenant_id = $1 and server_id = $2 and found_at > now() - interval '1 day'`,
    [tenantId, serverId],
  );
  return rows[0].count;
}

/** The server's release of this digest, stored now where there is none; the caller holds the server's lock and has stored the manifest. */
export async function provideRelease(
  tx: Transaction,
  { tenantId, serverId, source }: WatchedServer,
  { parsed, digest, report }: Extract<Finding, { kind: 'drifted' }>['built'],
  version: string | null,
): Promise<{ readonly id: string; readonly state: string; readonly number: number; readonly isNew: boolean }> {
  const known: Array<{ id: string; state: string; number: number }> = await tx.query(
    `select id, state, number from releases where tenant_id = $1 and server_id = $2 and digest = $3
     order by number desc limit 1`,
    [tenantId, serverId, digest],
  );
  if (known[0] !== undefined) return { ...known[0], isNew: false };
  const rows: [{ id: string; state: string; number: number }] = await tx.query(
    `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools, version, source)
     select $1, $2, $3, coalesce(max(number), 0) + 1, 'remote', $4, 'ready', $5, $6, $7, $8, $9
     from releases where tenant_id = $1 and server_id = $3 returning id, state, number`,
    [
      tenantId,
      newId(),
      serverId,
      digest,
      storableJson(report),
      JSON.stringify(CONTROLLER),
      JSON.stringify(Object.fromEntries(parsed.tools.map((tool) => [tool.name, toolAccess(tool)]))),
      version,
      JSON.stringify(source),
    ],
  );
  return { ...rows[0], isNew: true };
}

/** The versions that releases of a server bear. */
export async function versionsOf(tx: Transaction, { tenantId, serverId }: WatchedServer): Promise<ReadonlySet<string>> {
  const rows: Array<{ version: string }> = await tx.query(
    `select version from releases where tenant_id = $1 and server_id = $2 and version is not null`,
    [tenantId, serverId],
  );
  return new Set(rows.map(({ version }) => version));
}
