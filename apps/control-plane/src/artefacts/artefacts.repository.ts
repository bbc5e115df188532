import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** An uploaded document, without its content. */
export interface ArtefactRow {
  /** The digest. */
  readonly id: string;
  readonly media_type: string;
  readonly bytes: number;
  readonly created_at: Date;
}

/** Whether these bytes are a built release, or what its build has packed; what is, is no uploaded document. */
const USED = `exists (select from releases r where r.tenant_id = b.tenant_id
  and (r.digest = b.digest or (r.kind = 'npm' and r.artefact = b.digest)))`;
/** Whether a release needs these bytes, itself or the bundle that it runs. */
const NEEDED = `exists (select from releases r where r.tenant_id = b.tenant_id and b.digest in (r.digest, r.artefact))`;

/** A tenant's uploaded documents, among the blobs that are no release. */
@Injectable()
export class ArtefactsRepository {
  async list(
    tx: Transaction,
    tenantId: string,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<ArtefactRow[]> {
    return tx.query(
      `select b.digest as id, b.media_type, b.bytes, b.created_at from blobs b
       where b.tenant_id = $1 and ($2::text is null or b.digest > $2) and not ${USED} order by b.digest limit $3`,
      [tenantId, page.cursor ?? null, page.limit],
    );
  }

  async find(tx: Transaction, tenantId: string, digest: string): Promise<{ bytes: number; used: boolean } | undefined> {
    const rows: Array<{ bytes: number; used: boolean }> = await tx.query(
      `select b.bytes, ${NEEDED} as used from blobs b where b.tenant_id = $1 and b.digest = $2`,
      [tenantId, digest],
    );
    return rows[0];
  }
}
