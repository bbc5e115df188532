import type { Secret } from '#libs/config';
import type { AdapterPayload } from 'oidc-provider';
import type { Database, Transaction } from '#libs/database';
import type { Grants } from '../../grants/grants.js';
import { ArtifactStore, hashId } from '../artifacts/artifact-store.js';
import { agentHashOf } from '../consents/consents.js';

/** The provider's grants; the provider destroys one when it revokes it, and then its access tokens end too. */
export class GrantStore extends ArtifactStore {
  constructor(
    database: Database,
    masterKey: Secret,
    private readonly grants: Pick<Grants, 'end'>,
  ) {
    super('Grant', database, masterKey);
  }

  /** One grant is for one URL; by whom it is for whom it is found when they end what the agent holds there. */
  protected override async write(
    tx: Transaction,
    id: string,
    payload: AdapterPayload,
    seconds?: number,
  ): Promise<void> {
    await super.write(tx, id, payload, seconds);
    const { accountId, clientId, resources } = payload;
    const [resource] = Object.keys(resources ?? {});
    if (accountId === undefined || clientId === undefined || resource === undefined) return;
    await tx.query(`update oauth_artifacts set agent_hash = $2 where model = 'Grant' and id_hash = $1`, [
      hashId(id),
      agentHashOf({ accountId, clientId, resource }),
    ]);
  }

  override async destroy(id: string): Promise<void> {
    await this.grants.end(hashId(id));
  }
}
