import type { z } from 'zod';
import { appendAudit } from '#libs/audit';
import { openGranted, revokeGranted, upstreamNeeds, type Granted } from '#libs/connections';
import type { Database, Transaction } from '#libs/database';
import { revokeConnectionJob } from '#libs/jobs';
import { OpenIdFetch, type PrivateHost } from '#libs/openid';
import type { TenantVault } from '#libs/secrets';
import type { JobHandler } from '../jobs/job-handler.js';

type Payload = z.infer<typeof revokeConnectionJob.payload>;

interface EndingRow {
  readonly connector_id: string;
  readonly account_id: string;
  readonly data_key_id: string;
  readonly ciphertext: Buffer;
}

interface Ending {
  readonly granted: Granted;
  readonly accountId: string;
  readonly secret: string | undefined;
  readonly hosts: readonly PrivateHost[];
}

const UNREACHED = 'the upstream could not be asked; what was granted ends there by itself';

/** Revokes at its upstream what a person held there, however their connection ended; then nothing of it is left here. */
export class RevokeConnection implements JobHandler<Payload> {
  readonly definition = revokeConnectionJob;
  readonly #http = new OpenIdFetch();

  constructor(
    private readonly database: Database,
    private readonly vault: TenantVault,
  ) {}

  async run(payload: Payload): Promise<void> {
    const ending = await this.#find(payload);
    if (ending === undefined) return;
    const { granted, secret, hosts } = ending;
    const done = await revokeGranted(granted, secret, this.#http.for(hosts));
    await this.#forget(payload, ending, done ? 'revoked' : 'the upstream offers no way to revoke');
  }

  async giveUp(payload: Payload): Promise<void> {
    const ending = await this.#find(payload);
    if (ending !== undefined) await this.#forget(payload, ending, UNREACHED);
  }

  #find({ tenantId, endingId }: Payload): Promise<Ending | undefined> {
    return this.database.asTenant(tenantId, async (tx) => {
      const [row]: EndingRow[] = await tx.query(
        `select connector_id, account_id, data_key_id, ciphertext from connection_endings
         where tenant_id = $1 and id = $2`,
        [tenantId, endingId],
      );
      if (row === undefined) return undefined;
      const sealed = { dataKeyId: row.data_key_id, ciphertext: row.ciphertext };
      const key = { tenantId, connectorId: row.connector_id, accountId: row.account_id };
      const granted = await openGranted(tx, this.vault, { ...key, sealed });
      return { granted, accountId: row.account_id, ...(await upstreamNeeds(tx, this.vault, tenantId, granted)) };
    });
  }

  async #forget({ tenantId, endingId }: Payload, { granted, accountId }: Ending, reason: string): Promise<void> {
    await this.database.asTenant(tenantId, async (tx) => {
      if (!(await removeEnding(tx, tenantId, endingId))) return;
      const { clientId: client, issuer } = granted.client;
      await appendAudit(tx, tenantId, [
        {
          event: 'connection.revoked',
          actor: { kind: 'system', id: 'background' },
          target: `account:${accountId}`,
          outcome: reason === 'revoked' ? 'ok' : 'failed',
          details: { client, issuer, reason },
        },
      ]);
    });
  }
}

async function removeEnding(tx: Transaction, tenantId: string, endingId: string): Promise<boolean> {
  const [rows]: [unknown[], number] = await tx.query(
    `delete from connection_endings where tenant_id = $1 and id = $2 returning id`,
    [tenantId, endingId],
  );
  return rows.length > 0;
}
