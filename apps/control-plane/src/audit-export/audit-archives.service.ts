import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, findArchive } from '#libs/audit';
import type { BlobStore } from '#libs/blobs';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { BLOBS, TENANT_DATABASE } from '../platform/tokens.js';
import type { listArchives } from './audit-export.schema.js';

interface ArchiveRow {
  /** The first leaf. */
  readonly id: string;
  readonly end_leaf: string;
  readonly digest: string;
  readonly bytes: number;
  readonly created_at: Date;
}

/** Hands out the archives of a tenant's audit log. */
@Injectable()
export class AuditArchivesService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(BLOBS) private readonly blobs: BlobStore,
  ) {}

  async list(
    { tenantId }: TenantCaller,
    { cursor, limit }: InputOf<typeof listArchives>['query'],
  ): Promise<AnswerOf<typeof listArchives>> {
    const rows: ArchiveRow[] = await this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `select first_leaf as id, end_leaf, digest, bytes, created_at from audit_archives
         where tenant_id = $1 and ($2::bigint is null or first_leaf > $2) order by first_leaf limit $3`,
        [tenantId, cursor ?? null, limit + 1],
      ),
    );
    const page = pageOf(rows, limit);
    const archives = page.rows.map(({ id, end_leaf: end, digest, bytes, created_at: at }) => ({
      first_leaf: Number(id),
      end_leaf: Number(end),
      digest,
      bytes,
      created_at: at.toISOString(),
    }));
    return { archives, next_cursor: page.next };
  }

  /** The bytes of the archive that begins with this record. @throws AppError `not_found`, `unavailable` while the object store is away */
  async get(caller: TenantCaller, firstLeaf: number): Promise<Buffer> {
    const { tenantId } = caller;
    const archive = await this.database.asTenant(tenantId, async (tx) => {
      const found = await findArchive(tx, tenantId, firstLeaf);
      if (found === undefined) throw new AppError('not_found');
      const details = { first_leaf: firstLeaf };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'audit.archive_read', target: `tenant:${tenantId}`, details }),
      ]);
      return found;
    });
    return this.blobs.read(tenantId, archive);
  }
}
