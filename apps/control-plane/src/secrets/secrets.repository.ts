import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A secret without its value. */
export interface SecretRow {
  readonly name: string;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** A version without its value. */
export interface SecretVersionRow {
  readonly version: number;
  readonly current: boolean;
  readonly created_at: Date;
  readonly created_by: Record<string, unknown> | null;
  readonly key_id: string;
  readonly restored_from: number | null;
}

const COLUMNS = `name, version, created_at, updated_at`;

/** What is known of a tenant's secrets beside their values. */
@Injectable()
export class SecretsRepository {
  /** Those of one environment; the names are as they are stored. */
  async list(tx: Transaction, tenantId: string, environment: string | undefined): Promise<SecretRow[]> {
    return tx.query(
      `select ${COLUMNS} from secrets where tenant_id = $1
         and case when $2::text is null then strpos(name, '~') = 0 else split_part(name, '~', 2) <> ''
           and split_part(name, '~', 1) = $2 end
       order by name`,
      [tenantId, environment ?? null],
    );
  }

  /** Whether any server of the tenant has such an environment. */
  async hasEnvironment(tx: Transaction, tenantId: string, environment: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(`select from servers where tenant_id = $1 and environment = $2 limit 1`, [
      tenantId,
      environment,
    ]);
    return rows.length > 0;
  }

  async find(tx: Transaction, tenantId: string, name: string): Promise<SecretRow | undefined> {
    const rows: SecretRow[] = await tx.query(`select ${COLUMNS} from secrets where tenant_id = $1 and name = $2`, [
      tenantId,
      name,
    ]);
    return rows[0];
  }

  /** How many secrets the tenant has; concurrent writes of one tenant wait for each other. */
  async count(tx: Transaction, tenantId: string): Promise<number> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`secrets:${tenantId}`]);
    const rows: [{ count: number }] = await tx.query(
      `select count(*)::int as count from secrets where tenant_id = $1`,
      [tenantId],
    );
    return rows[0].count;
  }

  /** Deletes a secret; false where there was none. */
  async remove(tx: Transaction, tenantId: string, name: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `with gone as (delete from secrets where tenant_id = $1 and name = $2 returning name) select name from gone`,
      [tenantId, name],
    );
    return rows.length > 0;
  }

  /** The version in use and those before it that are kept. */
  async listVersions(tx: Transaction, tenantId: string, name: string): Promise<SecretVersionRow[]> {
    return tx.query(
      `select version, true as current, updated_at as created_at, written_by as created_by, data_key_id as key_id,
         restored_from from secrets where tenant_id = $1 and name = $2
       union all
       select version, false, created_at, written_by, data_key_id, restored_from from secret_versions
       where tenant_id = $1 and name = $2`,
      [tenantId, name],
    );
  }

  /** Deletes an earlier version; false where it is not kept. */
  async removeVersion(tx: Transaction, tenantId: string, name: string, version: number): Promise<boolean> {
    const [, deleted]: [unknown, number] = await tx.query(
      `delete from secret_versions where tenant_id = $1 and name = $2 and version = $3`,
      [tenantId, name, version],
    );
    return deleted > 0;
  }
}
