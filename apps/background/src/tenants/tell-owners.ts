import type { z } from 'zod';
import type { Secret } from '#libs/config';
import type { Database, Transaction } from '#libs/database';
import { tellOwnersJob } from '#libs/jobs';
import { queueMail, tenantLetter, type TenantNews } from '#libs/mail';
import type { Logger } from '#libs/telemetry';
import type { JobHandler, JobRun } from '../jobs/job-handler.js';

type Payload = z.infer<typeof tellOwnersJob.payload>;

const OWNERS_MAX = 100;
/** What is older than this they have found out. */
const USEFUL_SECONDS = 7 * 24 * 60 * 60;

/**
 * Queues a mail to each owner about what became of their tenant; the mail relay sends it, and tries again. An
 * address that nobody has proved is written to as well: who signs up by the API may never have proved theirs. Who has none,
 * signing in by the tenant's own provider, hears nothing. A run that is repeated may leave a mail twice; a job that is given up leaves none, until operators have it run again.
 */
export class TellOwners implements JobHandler<Payload> {
  readonly definition = tellOwnersJob;

  constructor(
    private readonly database: Database,
    private readonly masterKey: Secret,
    private readonly logger: Logger,
  ) {}

  async run(payload: Payload, { requestedAt }: JobRun): Promise<void> {
    const { tenantId, reason, contact } = payload;
    await this.database.asTenantWithShared(tenantId, async (tx, shared) => {
      const slug = await findSlug(tx, tenantId);
      if (slug === undefined) return;
      const notice = { tenantSlug: slug, news: newsOf(payload), at: requestedAt, reason, contact };
      const letter = tenantLetter(notice);
      const owners = await ownersOf(tx, tenantId);
      const addresses = await addressesOf(shared, owners);
      for (const { id, email } of addresses) {
        const accountId = goesWithAccount(payload) ? id : undefined;
        await queueMail(shared, this.masterKey, { to: email, accountId, ...letter, usefulSeconds: USEFUL_SECONDS });
      }
      const untold = owners.length - addresses.length;
      if (untold > 0)
        this.logger.info({ tenant_id: tenantId, untold }, 'owners without an e-mail address are not told');
    });
  }
}

function newsOf({ news }: Payload): TenantNews {
  return news.kind === 'deletion_requested' ? { ...news, dueAt: new Date(news.due_at) } : news;
}

/** That a tenant is to be deleted is said also where it and its people are gone before a mail server is back. */
function goesWithAccount({ news }: Payload): boolean {
  return news.kind !== 'deletion_requested';
}

async function findSlug(tx: Transaction, tenantId: string): Promise<string | undefined> {
  const rows: Array<{ slug: string }> = await tx.query(`select slug from tenants where id = $1`, [tenantId]);
  return rows[0]?.slug;
}

/** Who is an owner is known where the tenant is at home. */
async function ownersOf(tx: Transaction, tenantId: string): Promise<string[]> {
  const owners: Array<{ id: string }> = await tx.query(
    `select account_id as id from members where tenant_id = $1 and role = 'owner' order by account_id limit $2`,
    [tenantId, OWNERS_MAX],
  );
  return owners.map(({ id }) => id);
}

/** People's addresses are shared rows. */
async function addressesOf(
  shared: Transaction,
  owners: readonly string[],
): Promise<Array<{ id: string; email: string }>> {
  return shared.query(`select id, email from accounts where id = any($1) and email is not null`, [owners]);
}
