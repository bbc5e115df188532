import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { ArtifactStore, hashId } from '../artifacts/artifact-store.js';

/** As long as a grant lives. */
const KEPT_SECONDS = 180 * 24 * 60 * 60;

/** What people were told about being passed on when they gave a grant; a grant that nothing is known of was told nothing. */
export class ToldGrants {
  readonly #store: ArtifactStore;

  constructor(database: Database, masterKey: Secret) {
    this.#store = new ArtifactStore('Told', database, masterKey);
  }

  /** What the grant with this id in its tokens (`gid`) was told. */
  async find(gid: string): Promise<readonly string[]> {
    const told: unknown = (await this.#store.find(gid))?.['told'];
    return typeof told === 'string' ? told.split(' ') : [];
  }

  /** Binds what was told to a new grant; it ends with it. */
  async bind(grantId: string, told: readonly string[]): Promise<void> {
    if (told.length === 0) return;
    await this.#store.upsert(hashId(grantId), { told: told.join(' '), grantId }, KEPT_SECONDS);
  }
}
