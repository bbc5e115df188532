import { appendAudit } from '#libs/audit';
import { TenantAway, unlessAway, type Database, type Transaction } from '#libs/database';
import { agentHashOf } from '../provider/consents/consents.js';
import { noteGrantUse, type GrantUse } from './grant-use.js';
import { listAgents, type AgentPage, type AgentQuery } from './held-agents.js';
import type { HeldGrant, Holder } from './held-grant.js';

/**
 * What people let agents hold. States of a grant: held → revoked, by its person, by its client, or because something of
 * it was used twice; held → expired, when nothing of it was used in time. A token of a grant that is revoked or gone is
 * refused everywhere, so a row is there before the first token leaves.
 */
export class Grants {
  constructor(private readonly database: Database) {}

  /** Notes that a token was issued. @throws GrantEnded when the grant was ended meanwhile */
  async noteUse(use: GrantUse): Promise<void> {
    await this.database.asTenantWithShared(use.tenantId, (tx, shared) => noteGrantUse(tx, shared, use));
  }

  /** Whether a grant of this tenant is held now. */
  async holds(tenantId: string, id: string): Promise<boolean> {
    const rows: unknown[] = await this.database.asTenant(tenantId, (tx) =>
      tx.query(`select 1 from grants where tenant_id = $1 and id = $2 and revoked_at is null and expires_at > now()`, [
        tenantId,
        id,
      ]),
    );
    return rows.length > 0;
  }

  /** A page of what agents hold for a person, last used first. */
  async list(holder: Holder, query: AgentQuery): Promise<AgentPage> {
    return listAgents(this.database, holder, query);
  }

  /** One of them; undefined where it is another's, another tenant's, or has ended. */
  async find({ accountId, tenantId }: Holder, id: string): Promise<HeldGrant | undefined> {
    const found = await this.database.everywhere((tx): Promise<HeldGrant[]> =>
      tx.query(`${HELD} and g.id = $1 and g.account_id = $2 and ($3::uuid is null or g.tenant_id = $3)`, [
        id,
        accountId,
        tenantId ?? null,
      ]),
    );
    return found.flat()[0];
  }

  /**
   * Ends for its person all that the client of a grant holds at its URL, with codes and refresh tokens: nothing of it
   * works after the commit is heard of; the tenant's log says so.
   */
  async revoke(grant: HeldGrant, address: string): Promise<void> {
    const agent: unknown[] = [grant.tenantId, grant.accountId, grant.clientId, grant.resource];
    await this.database.asTenantWithShared(grant.tenantId, async (tx, shared) => {
      const records: Array<{ id: string }> = await shared.query(
        `select id_hash as id from oauth_artifacts where model = 'Grant' and agent_hash = $1 for update`,
        [agentHashOf(grant)],
      );
      // What has given no token yet has no row; one that is revoked keeps its first token from being issued.
      await tx.query(
        `insert into grants (tenant_id, account_id, client_id, resource, id, scope, expires_at, revoked_at)
         select $1, $2, $3, $4, id, '', now() + interval '1 hour', now() from unnest($5::text[]) as agent (id)
         on conflict (tenant_id, id) do nothing`,
        [...agent, records.map(({ id }) => id)],
      );
      const held: Array<{ id: string }> = await tx.query(
        `select id from grants
         where tenant_id = $1 and account_id = $2 and client_id = $3 and resource = $4 and revoked_at is null`,
        agent,
      );
      await shared.query(
        `delete from oauth_artifacts where grant_id = any($1) or (model = 'Grant' and id_hash = any($1))`,
        [[...records, ...held].map(({ id }) => id)],
      );
      const [ended]: [unknown[], number] = await tx.query(
        `update grants set revoked_at = now() where tenant_id = $1 and account_id = $2 and client_id = $3
           and resource = $4 and revoked_at is null returning 1`,
        agent,
      );
      if (ended.length > 0) await recordRevoked(tx, grant, address);
    });
  }

  /** Ends a grant that the provider revokes, also one whose first token is on its way out. @throws TenantAway while one is moved */
  async end(id: string): Promise<void> {
    const before = await this.#dedicatedTenantsOf(id);
    const ended = await this.database.asService(async (tx) => {
      // First, for it waits for who writes the row; whoever writes one after it writes a revoked one.
      await tx.query(`delete from oauth_artifacts where model = 'Grant' and id_hash = $1`, [id]);
      const rows = await tenantsOf(tx, id);
      for (const { tenantId } of rows) {
        await tx.query(`select app_enter_tenant($1)`, [tenantId]);
        await markRevoked(tx, tenantId, id);
      }
      // Rows of a tenant on its way are in no sight: whose grant this is cannot be known, so nothing is done yet.
      if (rows.length === 0 && (await someTenantMoves(tx)))
        throw new TenantAway('A tenant is being moved. Try again shortly.', { retryAfterSeconds: 15 });
      return rows.length > 0;
    });
    if (ended || !this.database.hasDedicated) return;
    for (const tenantId of new Set([...before, ...(await this.#dedicatedTenantsOf(id))]))
      await this.database.asTenant(tenantId, (tx) => markRevoked(tx, tenantId, id));
  }

  /** Tenants in databases of their own whose grant this is; none is looked for where the common one knows it. @throws TenantAway */
  async #dedicatedTenantsOf(id: string): Promise<string[]> {
    if (!this.database.hasDedicated) return [];
    if ((await this.database.asService((tx) => tenantsOf(tx, id))).length > 0) return [];
    const homes = (await this.database.homes()).filter((home) => home !== undefined);
    const found = await Promise.all(homes.map((home) => this.database.asServiceAt(home, (tx) => tenantsOf(tx, id))));
    return found.flat().map(({ tenantId }) => tenantId);
  }

  /** Ends a grant of a tenant with its codes and refresh tokens. */
  async endAll(tenantId: string, id: string): Promise<void> {
    await this.database.asTenantWithShared(tenantId, async (tx, shared) => {
      await shared.query(`delete from oauth_artifacts where grant_id = $1 or (model = 'Grant' and id_hash = $1)`, [id]);
      await markRevoked(tx, tenantId, id);
    });
  }

  /** Deletes expired ones, at most `limit`; returns how many. */
  async deleteExpired(limit: number): Promise<number> {
    const found = await this.database.everywhere((tx): Promise<Array<{ tenantId: string; ids: string[] }>> =>
      tx.query(
        `select tenant_id as "tenantId", array_agg(id) as ids from
           (select tenant_id, id from grants where expires_at < now() order by expires_at limit $1) due
         group by tenant_id`,
        [limit],
      ),
    );
    const rows = found.flat();
    for (const { tenantId, ids } of rows) {
      const deleting = this.database.asTenant(tenantId, (tx) =>
        tx.query(`delete from grants where tenant_id = $1 and id = any($2) and expires_at < now()`, [tenantId, ids]),
      );
      await unlessAway(deleting);
    }
    return rows.reduce((sum, { ids }) => sum + ids.length, 0);
  }
}

const HELD = `select g.id, g.tenant_id as "tenantId", t.name as "tenantName", g.account_id as "accountId",
    g.client_id as "clientId", g.client_name as "clientName", g.redirect_host as "redirectHost", g.resource, g.scope,
    g.created_at as "createdAt", g.last_used_at as "lastUsedAt"
  from grants g join tenants t on t.id = g.tenant_id where g.revoked_at is null and g.expires_at > now()`;

async function recordRevoked(tx: Transaction, grant: HeldGrant, address: string): Promise<void> {
  const { tenantId, accountId, resource, clientId, clientName } = grant;
  await appendAudit(tx, tenantId, [
    {
      event: 'grant.revoked',
      actor: { kind: 'person', id: accountId },
      target: `tenant:${tenantId}`,
      outcome: 'ok',
      details: { resource, client: clientId, client_name: clientName },
      sourceAddress: address,
    },
  ]);
}

async function tenantsOf(tx: Transaction, id: string): Promise<Array<{ readonly tenantId: string }>> {
  return tx.query(`select tenant_id as "tenantId" from grants where id = $1`, [id]);
}

async function someTenantMoves(tx: Transaction): Promise<boolean> {
  const rows: unknown[] = await tx.query(`select from tenant_homes where state <> 'dedicated' limit 1`);
  return rows.length > 0;
}

async function markRevoked(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query(`update grants set revoked_at = now() where tenant_id = $1 and id = $2 and revoked_at is null`, [
    tenantId,
    id,
  ]);
}
