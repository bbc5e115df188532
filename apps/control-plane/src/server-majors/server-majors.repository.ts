import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A major version of a server; `served_until` is null for the live one. */
export interface MajorRow {
  readonly major: number;
  readonly version: string;
  readonly release_id: string;
  readonly deprecated_at: Date | null;
  readonly served_until: Date | null;
}

/** The major versions that servers are reachable at. */
@Injectable()
export class ServerMajorsRepository {
  /** Highest first. An older one that is live again, by a rollback, stands there once, as live. */
  async list(tx: Transaction, tenantId: string, serverId: string): Promise<MajorRow[]> {
    return tx.query(
      `select distinct on (major) * from (
         select r.major, r.version, r.id as release_id, null::timestamptz as deprecated_at, null::timestamptz as served_until
         from servers s join releases r on r.tenant_id = s.tenant_id and r.id = s.live_release_id
         where s.tenant_id = $1 and s.id = $2 and r.major is not null
         union all
         select m.major, r.version, r.id, m.deprecated_at, m.served_until
         from server_majors m join releases r on r.tenant_id = m.tenant_id and r.id = m.release_id
         where m.tenant_id = $1 and m.server_id = $2) majors
       order by major desc, served_until nulls first limit 1000`,
      [tenantId, serverId],
    );
  }

  /** Moves the end of an older major version. False where there is none. */
  async keepUntil(
    tx: Transaction,
    tenantId: string,
    { serverId, major, until }: { serverId: string; major: number; until: string },
  ): Promise<boolean> {
    const [, changed] = await tx.query(
      `update server_majors set served_until = $4 where tenant_id = $1 and server_id = $2 and major = $3`,
      [tenantId, serverId, major, until],
    );
    return changed > 0;
  }
}
