import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { putBlob } from '#libs/blobs';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { ArtefactsRepository } from './artefacts.repository.js';
import type { uploadArtefact } from './artefacts.schema.js';

const STORED_BYTES_MAX = 1024 * 1024 * 1024;

/** Documents that releases are built from. */
@Injectable()
export class ArtefactsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ArtefactsRepository) private readonly artefacts: ArtefactsRepository,
  ) {}

  /** @throws AppError `conflict` when the tenant has stored as much as it may. */
  async upload(
    caller: TenantCaller,
    { content, mediaType }: InputOf<typeof uploadArtefact>['body'],
  ): Promise<AnswerOf<typeof uploadArtefact>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const stored = await this.artefacts.storedBytes(tx, tenantId);
      if (stored + content.length > STORED_BYTES_MAX) {
        throw new AppError('conflict', {
          message: `A tenant stores at most ${STORED_BYTES_MAX} bytes of documents and releases, and ${stored} are in use.`,
        });
      }
      const digest = await putBlob(tx, tenantId, mediaType, content);
      const details = { bytes: content.length, media_type: mediaType };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'artefact.uploaded', target: `artefact:${digest}`, details }),
      ]);
      return { digest, bytes: content.length, media_type: mediaType };
    });
  }
}
