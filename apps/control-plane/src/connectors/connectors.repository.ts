import { Injectable } from '@nestjs/common';
import type { ConnectorSettings } from '#libs/connections';
import type { Transaction } from '#libs/database';
import type { SealedValue } from '#libs/secrets';

/** A connector as it is stored. */
export interface ConnectorRow {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly issuer: string;
  readonly origins: string[];
  readonly client_data_key_id: string;
  readonly client_ciphertext: Buffer;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** A connector to be stored, its client sealed. */
export interface StoredConnector extends Pick<ConnectorRow, 'id' | 'name' | 'title' | 'issuer' | 'origins'> {
  readonly settings: ConnectorSettings;
  readonly client: SealedValue;
}

/** Somebody who is logged in at an upstream. */
export interface ConnectedRow {
  readonly id: string;
  readonly email: string;
  readonly state: 'connected' | 'reconnect';
  readonly connected_at: Date;
  readonly refreshed_at: Date;
}

const COLUMNS = `id, name, title, issuer, origins, client_data_key_id, client_ciphertext, created_at, updated_at`;

/** A tenant's connectors. */
@Injectable()
export class ConnectorsRepository {
  async list(tx: Transaction, tenantId: string): Promise<ConnectorRow[]> {
    return tx.query(`select ${COLUMNS} from connectors where tenant_id = $1 order by name`, [tenantId]);
  }

  async find(tx: Transaction, tenantId: string, name: string): Promise<ConnectorRow | undefined> {
    return (await this.list(tx, tenantId)).find((row) => row.name === name);
  }

  /** Makes concurrent writers of one tenant wait for each other. */
  async lock(tx: Transaction, tenantId: string): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`connectors:${tenantId}`]);
  }

  async hasSecret(tx: Transaction, tenantId: string, name: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(`select 1 from secrets where tenant_id = $1 and name = $2`, [
      tenantId,
      name,
    ]);
    return rows.length > 0;
  }

  async write(
    tx: Transaction,
    tenantId: string,
    { id, name, title, issuer, ...stored }: StoredConnector,
  ): Promise<void> {
    const { origins, settings, client } = stored;
    await tx.query(
      `insert into connectors (tenant_id, id, name, title, settings, issuer, origins, client_data_key_id, client_ciphertext)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (tenant_id, name) do update set title = excluded.title, settings = excluded.settings,
         issuer = excluded.issuer, origins = excluded.origins, client_data_key_id = excluded.client_data_key_id,
         client_ciphertext = excluded.client_ciphertext, updated_at = now()`,
      [tenantId, id, name, title, JSON.stringify(settings), issuer, origins, client.dataKeyId, client.ciphertext],
    );
  }

  async remove(tx: Transaction, tenantId: string, id: string): Promise<void> {
    await tx.query(`delete from connectors where tenant_id = $1 and id = $2`, [tenantId, id]);
  }

  /** Ends everybody's login; each is revoked soon after. Returns how many there were. */
  async endConnections(tx: Transaction, tenantId: string, id: string): Promise<number> {
    const [rows]: [unknown[], number] = await tx.query(
      `delete from connections where tenant_id = $1 and connector_id = $2 returning account_id`,
      [tenantId, id],
    );
    return rows.length;
  }

  async listConnected(
    tx: Transaction,
    tenantId: string,
    { id, cursor, limit }: { readonly id: string; readonly cursor: string | undefined; readonly limit: number },
  ): Promise<ConnectedRow[]> {
    return tx.query(
      `select c.account_id as id, coalesce(a.email, a.asserted_email, '') as email, c.state, c.connected_at, c.refreshed_at
       from connections c join accounts a on a.id = c.account_id
       where c.tenant_id = $1 and c.connector_id = $2 and ($3::uuid is null or c.account_id > $3)
       order by c.account_id limit $4`,
      [tenantId, id, cursor ?? null, limit],
    );
  }
}
