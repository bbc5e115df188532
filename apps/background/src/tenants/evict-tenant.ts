import type { z } from 'zod';
import type { Database } from '#libs/database';
import { evictTenantJob } from '#libs/jobs';
import type { RuntimeClient } from '#libs/protocol';
import type { JobHandler } from '../jobs/job-handler.js';

type Payload = z.infer<typeof evictTenantJob.payload>;

/** Stops the workers of a suspended tenant; one that was resumed meanwhile keeps its workers. */
export class EvictTenant implements JobHandler<Payload> {
  readonly definition = evictTenantJob;

  constructor(
    private readonly database: Database,
    private readonly runtime: RuntimeClient,
  ) {}

  async run({ tenantId }: Payload): Promise<void> {
    const suspended = await this.database.asTenant(tenantId, async (tx) => {
      const rows: unknown[] = await tx.query(`select from tenants where id = $1 and status = 'suspended'`, [tenantId]);
      return rows.length > 0;
    });
    if (suspended) await this.runtime.evict(tenantId, 'suspended');
  }
}
