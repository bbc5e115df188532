import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { SealedValue } from '#libs/secrets';
import type { KeyEnvelope } from '#libs/tenant-archive';

/** An export as it is shown. */
export interface ExportRow {
  readonly id: string;
  readonly state: 'waiting' | 'making' | 'ready' | 'failed' | 'expired';
  readonly secrets: 'sealed' | 'left_out';
  readonly progress: { readonly file?: string; readonly files?: number; readonly bytes?: number };
  readonly bytes: number | null;
  readonly digest: string | null;
  readonly failure: string | null;
  readonly created_at: Date;
  readonly ready_at: Date | null;
  readonly expires_at: Date;
}

const COLUMNS = `id, state, secrets, progress, bytes::float8 as bytes, digest, failure, created_at, ready_at, expires_at`;

/** Exports of one tenant. */
@Injectable()
export class TenantExportsRepository {
  async insert(
    tx: Transaction,
    tenantId: string,
    asked: {
      readonly id: string;
      readonly requestedBy: unknown;
      readonly sealed: SealedValue | undefined;
      readonly envelope: KeyEnvelope | undefined;
    },
  ): Promise<void> {
    const { id, requestedBy, sealed, envelope } = asked;
    await tx.query(
      `insert into tenant_exports (tenant_id, id, secrets, key_envelope, data_key_id, ciphertext, requested_by)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [
        tenantId,
        id,
        sealed === undefined ? 'left_out' : 'sealed',
        envelope === undefined ? null : JSON.stringify(envelope),
        sealed?.dataKeyId ?? null,
        sealed?.ciphertext ?? null,
        JSON.stringify(requestedBy),
      ],
    );
  }

  async list(
    tx: Transaction,
    tenantId: string,
    { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<ExportRow[]> {
    return tx.query(
      `select ${COLUMNS} from tenant_exports where tenant_id = $1 and ($2::uuid is null or id < $2)
       order by id desc limit $3`,
      [tenantId, cursor ?? null, limit],
    );
  }

  async find(tx: Transaction, tenantId: string, id: string): Promise<ExportRow | undefined> {
    const rows: ExportRow[] = await tx.query(`select ${COLUMNS} from tenant_exports where tenant_id = $1 and id = $2`, [
      tenantId,
      id,
    ]);
    return rows[0];
  }

  async part(tx: Transaction, tenantId: string, id: string, number: number): Promise<Buffer | undefined> {
    const rows: Array<{ content: Buffer }> = await tx.query(
      `select content from tenant_export_parts where tenant_id = $1 and export_id = $2 and number = $3`,
      [tenantId, id, number],
    );
    return rows[0]?.content;
  }
}
