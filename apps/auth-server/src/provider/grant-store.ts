import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import type { Grants } from '../grants/grants.js';
import { ArtifactStore, hashId } from './artifact-store.js';

/** The provider's grants; the provider destroys one when it revokes it, and then its access tokens end too. */
export class GrantStore extends ArtifactStore {
  constructor(
    database: Database,
    masterKey: Secret,
    private readonly grants: Pick<Grants, 'end'>,
  ) {
    super('Grant', database, masterKey);
  }

  override async destroy(id: string): Promise<void> {
    await super.destroy(id);
    await this.grants.end(hashId(id));
  }
}
