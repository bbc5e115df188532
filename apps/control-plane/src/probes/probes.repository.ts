import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A row of `probes`. */
export interface ProbeRow {
  readonly id: string;
  readonly server_id: string;
  readonly name: string;
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
  readonly expect: unknown;
  readonly allow_effects: boolean;
  readonly enabled: boolean;
  readonly every_seconds: number | null;
  readonly state: 'unknown' | 'passing' | 'failing';
  readonly due_at: Date | null;
  readonly created_at: Date;
}

/** What a tenant says of a probe. */
export type ProbeWords = Pick<
  ProbeRow,
  'name' | 'tool' | 'arguments' | 'expect' | 'allow_effects' | 'enabled' | 'every_seconds'
>;

/** A row of `probe_results`. */
export interface ProbeResultRow {
  readonly id: string;
  readonly at: Date;
  readonly job_id: string;
  readonly release_id: string;
  readonly cause: 'publish' | 'request' | 'schedule';
  readonly passed: boolean;
  readonly reason: string | null;
  readonly latency_ms: number;
  readonly result_digest: string | null;
  readonly diverged: boolean;
}

/** Which results are wanted. */
export interface ResultsPage {
  readonly probeId: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly releaseId?: string | undefined;
  readonly jobId?: string | undefined;
}

const COLUMNS = `id, server_id, name, tool, arguments, expect, allow_effects, enabled, every_seconds, state, due_at, created_at`;
/** The first run of a schedule is soon, at a time of its own, so that no two servers' probes march in step. */
const FIRST_DUE = `case when $8::integer is not null and $7::boolean then now() + make_interval(secs => random() * least($8, 300)) end`;

/** A tenant's probes and their results. */
@Injectable()
export class ProbesRepository {
  async list(tx: Transaction, tenantId: string, serverId: string): Promise<ProbeRow[]> {
    return tx.query(`select ${COLUMNS} from probes where tenant_id = $1 and server_id = $2 order by created_at, id`, [
      tenantId,
      serverId,
    ]);
  }

  async find(tx: Transaction, tenantId: string, serverId: string, id: string): Promise<ProbeRow | undefined> {
    const rows: ProbeRow[] = await tx.query(
      `select ${COLUMNS} from probes where tenant_id = $1 and server_id = $2 and id = $3`,
      [tenantId, serverId, id],
    );
    return rows[0];
  }

  async insert(tx: Transaction, tenantId: string, serverId: string, id: string, words: ProbeWords): Promise<ProbeRow> {
    const rows: [ProbeRow] = await tx.query(
      `insert into probes (tenant_id, id, name, tool, arguments, allow_effects, enabled, every_seconds, due_at, expect, server_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, ${FIRST_DUE}, $9, $10) returning ${COLUMNS}`,
      [...valuesOf(tenantId, id, words), serverId],
    );
    return rows[0];
  }

  /** Writes a probe anew; what it was found to be before is forgotten with what it asked. */
  async update(tx: Transaction, tenantId: string, id: string, words: ProbeWords): Promise<ProbeRow | undefined> {
    const [rows]: [ProbeRow[]] = await tx.query(
      `update probes set name = $3, tool = $4, arguments = $5, allow_effects = $6, enabled = $7, every_seconds = $8,
         due_at = ${FIRST_DUE}, expect = $9, state = 'unknown'
       where tenant_id = $1 and id = $2 returning ${COLUMNS}`,
      valuesOf(tenantId, id, words),
    );
    return rows[0];
  }

  async remove(tx: Transaction, tenantId: string, id: string): Promise<void> {
    await tx.query(`delete from probes where tenant_id = $1 and id = $2`, [tenantId, id]);
  }

  async results(tx: Transaction, tenantId: string, page: ResultsPage): Promise<ProbeResultRow[]> {
    return tx.query(
      `select id, at, job_id, release_id, cause, passed, reason, latency_ms, result_digest, diverged from probe_results
       where tenant_id = $1 and probe_id = $2 and ($3::uuid is null or id < $3)
         and ($4::uuid is null or release_id = $4) and ($5::uuid is null or job_id = $5)
       order by id desc limit $6`,
      [tenantId, page.probeId, page.cursor ?? null, page.releaseId ?? null, page.jobId ?? null, page.limit],
    );
  }
}

function valuesOf(tenantId: string, id: string, words: ProbeWords): unknown[] {
  const { name, tool, allow_effects: effects, enabled, every_seconds: every } = words;
  return [tenantId, id, name, tool, words.arguments, effects, enabled, every, words.expect];
}
