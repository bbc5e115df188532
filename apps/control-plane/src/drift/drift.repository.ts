import { Injectable } from '@nestjs/common';
import type { AuditActor } from '#libs/audit';
import type { Transaction } from '#libs/database';
import type { Problem } from '#libs/errors';
import type { CANDIDATE_STATES } from './drift.schema.js';

/** What a tenant wants done where upstreams change. */
export type DriftPolicy = 'auto' | 'approve' | 'reject';

/** Where a candidate stands. */
export type CandidateState = (typeof CANDIDATE_STATES)[number];

/** A row of `drift_watches`. */
export interface WatchRow {
  readonly policy: DriftPolicy;
  readonly outcome: 'same' | 'drifted' | 'unreachable' | 'unusable' | 'flapping' | 'unknown' | null;
  readonly detail: string | null;
  readonly checked_at: Date | null;
  readonly due_at: Date | null;
}

interface NameChanges {
  readonly added: string[];
  readonly removed: string[];
  readonly changed: string[];
}

/** A row of `drift_candidates`. */
export interface CandidateRow {
  readonly id: string;
  readonly base_release_id: string;
  readonly release_id: string | null;
  readonly state: CandidateState;
  readonly effect: 'none' | 'wording' | 'compatible' | 'breaking' | null;
  readonly summary: {
    readonly tools: NameChanges;
    readonly prompts: NameChanges;
    readonly instructions: { readonly before: string | null; readonly after: string | null } | null;
  } | null;
  readonly problems: Problem[] | null;
  readonly reason: string | null;
  readonly rollout_id: string | null;
  readonly found_at: Date;
  readonly seen_at: Date;
  readonly decided_at: Date | null;
}

/** What somebody decided about a candidate. */
export interface Decision {
  readonly state: 'rolling_out' | 'refused';
  readonly reason: string;
  readonly rolloutId: string | null;
  readonly by: AuditActor;
}

const COLUMNS = `id, base_release_id, release_id, state, effect, summary, problems, reason, rollout_id, found_at, seen_at,
  decided_at`;

/** What is known of servers' upstreams. */
@Injectable()
export class DriftRepository {
  async findWatch(tx: Transaction, tenantId: string, serverId: string): Promise<WatchRow | undefined> {
    const rows: WatchRow[] = await tx.query(
      `select policy, outcome, detail, checked_at, due_at from drift_watches where tenant_id = $1 and server_id = $2`,
      [tenantId, serverId],
    );
    return rows[0];
  }

  async setPolicy(tx: Transaction, tenantId: string, serverId: string, policy: DriftPolicy): Promise<void> {
    await tx.query(
      `insert into drift_watches (tenant_id, server_id, policy) values ($1, $2, $3)
       on conflict (tenant_id, server_id) do update set policy = excluded.policy`,
      [tenantId, serverId, policy],
    );
  }

  /** Makes the next look due now. */
  async hurry(tx: Transaction, tenantId: string, serverId: string): Promise<void> {
    await tx.query(`update drift_watches set due_at = least(due_at, now()) where tenant_id = $1 and server_id = $2`, [
      tenantId,
      serverId,
    ]);
  }

  async list(
    tx: Transaction,
    tenantId: string,
    page: { serverId: string; limit: number; cursor?: string | undefined; state?: CandidateState | undefined },
  ): Promise<CandidateRow[]> {
    return tx.query(
      `select ${COLUMNS} from drift_candidates
       where tenant_id = $1 and server_id = $2 and ($3::uuid is null or id < $3) and ($5::text is null or state = $5)
       order by id desc limit $4`,
      [tenantId, page.serverId, page.cursor ?? null, page.limit, page.state ?? null],
    );
  }

  async find(tx: Transaction, tenantId: string, serverId: string, id: string): Promise<CandidateRow | undefined> {
    const rows: CandidateRow[] = await tx.query(
      `select ${COLUMNS} from drift_candidates where tenant_id = $1 and server_id = $2 and id = $3`,
      [tenantId, serverId, id],
    );
    return rows[0];
  }

  /** Writes a decision; the caller holds the server's lock. */
  async decide(tx: Transaction, tenantId: string, id: string, decision: Decision): Promise<CandidateRow> {
    const [rows]: [[CandidateRow]] = await tx.query(
      `update drift_candidates set state = $3, reason = $4, rollout_id = $5, decided_by = $6, decided_at = now()
       where tenant_id = $1 and id = $2 returning ${COLUMNS}`,
      [tenantId, id, decision.state, decision.reason, decision.rolloutId, JSON.stringify(decision.by)],
    );
    return rows[0];
  }
}
