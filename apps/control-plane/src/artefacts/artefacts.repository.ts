import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** How much a tenant has stored. */
@Injectable()
export class ArtefactsRepository {
  /** Bytes of all the tenant's blobs; concurrent uploads of one tenant wait for each other. */
  async storedBytes(tx: Transaction, tenantId: string): Promise<number> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`artefacts:${tenantId}`]);
    const rows: [{ bytes: string }] = await tx.query(
      `select coalesce(sum(bytes), 0) as bytes from blobs where tenant_id = $1`,
      [tenantId],
    );
    return Number(rows[0].bytes);
  }
}
