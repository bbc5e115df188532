import { errors } from 'oidc-provider';
import { hashId } from '../artifacts/artifact-store.js';
import { PresentedStore } from '../artifacts/presented-store.js';

/** Another request of the same browser has gone on with the interaction at the same moment. */
export class GoneOnWith extends errors.SessionNotFound {}

/** Requests that wait for their person; each is gone on with once, also by a browser that asks twice at the same time. */
export class InteractionStore extends PresentedStore {
  /** @throws GoneOnWith when it is no longer there */
  override async destroy(id: string): Promise<void> {
    const [rows]: [unknown[], number] = await this.database.asService((tx) =>
      tx.query(`delete from oauth_artifacts where model = $1 and id_hash = $2 returning 1`, [this.model, hashId(id)]),
    );
    if (rows.length === 0) throw new GoneOnWith('authorization request has ended');
  }
}
