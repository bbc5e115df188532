import { createHash } from 'node:crypto';
import { appendAudit, type EventDetails } from '#libs/audit';
import { findConnector, saveConnection, type Connector, type ConnectionKey, type Granted } from '#libs/connections';
import { unlessAway, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantVault } from '#libs/secrets';

/** Where a person may log in, and whether they have. */
export interface OwnConnection {
  readonly tenantId: string;
  readonly tenantSlug: string;
  readonly tenantName: string;
  readonly connector: string;
  readonly title: string;
  readonly issuer: string;
  readonly origins: readonly string[];
  /** Null where they have not logged in. */
  readonly state: 'connected' | 'reconnect' | null;
  readonly connectedAt: Date | null;
}

/** Which connector of which tenant. */
export interface ConnectorName {
  readonly tenantSlug: string;
  readonly connector: string;
}

/** What a person was told of a connector on the page whose button they press. */
export function toldOf({ issuer, origins }: OwnConnection): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, origins]))
    .digest('base64url');
}

/** What happens to a person's own connections. */
type OwnEvent = 'connection.made' | 'connection.failed' | 'connection.ended';

const TENANTS_MAX = 100;
const CONNECTORS_MAX = 100;

/** A person's own connections, at the tenants that they are a member of and at no other. */
export class OwnConnections {
  constructor(
    private readonly database: Database,
    private readonly vault: TenantVault,
  ) {}

  /** Everywhere that a person may log in. */
  async list(accountId: string): Promise<OwnConnection[]> {
    const found: OwnConnection[] = [];
    for (const tenantId of await this.#tenantsOf(accountId))
      found.push(...((await unlessAway(this.#at(tenantId, accountId))) ?? []));
    return found;
  }

  /** One of them; undefined also where the person is no member. */
  async find(accountId: string, { tenantSlug, connector }: ConnectorName): Promise<OwnConnection | undefined> {
    return (await this.list(accountId)).find((each) => each.tenantSlug === tenantSlug && each.connector === connector);
  }

  /** Keeps what an upstream granted. @throws AppError conflict when the person or the connector is not what it was */
  async save(
    attempt: {
      readonly tenantId: string;
      readonly accountId: string;
      readonly connectorId: string;
      readonly connector: string;
      readonly issuer: string;
    },
    granted: Granted,
    address: string,
  ): Promise<void> {
    const { tenantId, accountId } = attempt;
    await this.database.asTenant(tenantId, async (tx) => {
      const connector = await findConnector(tx, tenantId, attempt.connector);
      if (
        connector?.id !== attempt.connectorId ||
        connector.issuer !== attempt.issuer ||
        !(await isMember(tx, tenantId, accountId))
      )
        throw new AppError('conflict', { message: 'This was changed while you were away. Begin again.' });
      await saveConnection(tx, this.vault, { tenantId, accountId, connectorId: connector.id }, granted);
      const { scope } = granted;
      const details = { ...named(connector), ...(scope === undefined ? {} : { scope }) };
      await note(tx, { tenantId, accountId, address }, { event: 'connection.made', details });
    });
  }

  /** Ends a connection; it is revoked at the upstream soon after. One that is not there is as it was wanted. */
  async end(own: OwnConnection, accountId: string, address: string): Promise<void> {
    const { tenantId } = own;
    await this.database.asTenant(tenantId, async (tx) => {
      const [rows]: [Array<Pick<ConnectionKey, 'accountId'>>, number] = await tx.query(
        `delete from connections c using connectors k
         where c.tenant_id = $1 and c.account_id = $2 and k.tenant_id = $1 and k.name = $3 and k.id = c.connector_id
         returning c.account_id`,
        [tenantId, accountId, own.connector],
      );
      if (rows.length === 0) return;
      const details = { connector: own.connector, issuer: own.issuer };
      await note(tx, { tenantId, accountId, address }, { event: 'connection.ended', details });
    });
  }

  /** Records that a login did not come about, and why in a few words of ours. */
  async noteFailure(
    {
      tenantId,
      accountId,
      connector,
      issuer,
    }: { readonly tenantId: string; readonly accountId: string; readonly connector: string; readonly issuer: string },
    reason: string,
    address: string,
  ): Promise<void> {
    const entry = { event: 'connection.failed', details: { connector, issuer, reason } } as const;
    await this.database.asTenant(tenantId, (tx) => note(tx, { tenantId, accountId, address }, entry));
  }

  async #tenantsOf(accountId: string): Promise<string[]> {
    const found = await this.database.everywhere(async (tx): Promise<Array<{ tenant_id: string }>> => {
      // Row-level security lets this service see the memberships of exactly this person.
      await tx.query(`select set_config('app.account_id', $1, true)`, [accountId]);
      return tx.query(`select tenant_id from members where account_id = $1 order by tenant_id limit $2`, [
        accountId,
        TENANTS_MAX,
      ]);
    });
    return found
      .flat()
      .map((row) => row.tenant_id)
      .toSorted()
      .slice(0, TENANTS_MAX);
  }

  #at(tenantId: string, accountId: string): Promise<OwnConnection[]> {
    return this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `select k.tenant_id as "tenantId", t.slug as "tenantSlug", t.name as "tenantName", k.name as connector, k.title,
           k.issuer, k.origins, c.state, c.connected_at as "connectedAt"
         from connectors k join tenants t on t.id = k.tenant_id
         left join connections c on c.tenant_id = k.tenant_id and c.connector_id = k.id and c.account_id = $2
         where k.tenant_id = $1 order by k.name limit $3`,
        [tenantId, accountId, CONNECTORS_MAX],
      ),
    );
  }
}

async function isMember(tx: Transaction, tenantId: string, accountId: string): Promise<boolean> {
  const rows: unknown[] = await tx.query(`select 1 from members where tenant_id = $1 and account_id = $2`, [
    tenantId,
    accountId,
  ]);
  return rows.length > 0;
}

function named({ name, issuer }: Connector): { readonly connector: string; readonly issuer: string } {
  return { connector: name, issuer };
}

function note(
  tx: Transaction,
  { tenantId, accountId, address }: { readonly tenantId: string; readonly accountId: string; readonly address: string },
  entry: EventDetails<OwnEvent>,
): Promise<void> {
  const outcome = entry.event === 'connection.failed' ? 'failed' : 'ok';
  const whole = {
    ...entry,
    actor: { kind: 'person', id: accountId },
    target: `account:${accountId}`,
    outcome,
  } as const;
  return appendAudit(tx, tenantId, [{ ...whole, sourceAddress: address }]);
}
