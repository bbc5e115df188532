import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { deleteUnusedBlobs, keepBlob, lockBlobs, STORED_BYTES_MAX, storedBytes, type BlobStore } from '#libs/blobs';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { BLOBS, TENANT_DATABASE } from '../platform/tokens.js';
import { ArtefactsRepository } from './artefacts.repository.js';
import type { listArtefacts, uploadArtefact } from './artefacts.schema.js';

/** Documents that releases are built from. */
@Injectable()
export class ArtefactsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ArtefactsRepository) private readonly artefacts: ArtefactsRepository,
    @Inject(BLOBS) private readonly blobs: BlobStore,
  ) {}

  async list(
    { tenantId }: TenantCaller,
    { limit, cursor }: InputOf<typeof listArtefacts>['query'],
  ): Promise<AnswerOf<typeof listArtefacts>> {
    return this.database.asTenant(tenantId, async (tx) => {
      const page = pageOf(await this.artefacts.list(tx, tenantId, { limit: limit + 1, cursor }), limit);
      return {
        artefacts: page.rows.map(({ id: digest, created_at: createdAt, ...row }) => ({
          digest,
          ...row,
          created_at: createdAt.toISOString(),
        })),
        next_cursor: page.next,
        stored_bytes: await storedBytes(tx, tenantId),
        stored_bytes_max: STORED_BYTES_MAX,
      };
    });
  }

  /** @throws AppError `conflict` when the tenant has stored as much as it may, `unavailable` when nothing can be stored. */
  async upload(
    caller: TenantCaller,
    { content, mediaType }: InputOf<typeof uploadArtefact>['body'],
  ): Promise<AnswerOf<typeof uploadArtefact>> {
    const { tenantId } = caller;
    const placed = await this.blobs.placeBlob(tenantId, content);
    const { digest } = placed;
    return this.database.asTenant(tenantId, async (tx) => {
      await keepBlob(tx, tenantId, mediaType, placed);
      const details = { bytes: content.length, media_type: mediaType };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'artefact.uploaded', target: `artefact:${digest}`, details }),
      ]);
      return { digest, bytes: content.length, media_type: mediaType };
    });
  }

  /** @throws AppError `not_found`, or `conflict` for the bytes that a release is made of. */
  async remove(caller: TenantCaller, digest: string): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      await lockBlobs(tx, tenantId);
      const found = await this.artefacts.find(tx, tenantId, digest);
      if (found === undefined) throw new AppError('not_found');
      if (found.used) {
        throw new AppError('conflict', { message: 'A release is made of this. Delete its server to delete it.' });
      }
      await deleteUnusedBlobs(tx, tenantId, [digest]);
      const details = { bytes: found.bytes };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'artefact.deleted', target: `artefact:${digest}`, details }),
      ]);
    });
  }
}
