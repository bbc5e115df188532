import { hashId } from './artifact-store.js';
import { PresentedStore } from './presented-store.js';

/** State that exactly one request may use: of several at once, one gets it. */
export class OneTimeStore extends PresentedStore {
  /** Takes what is stored under an id, for good. */
  async take(id: string): Promise<object | undefined> {
    const [rows]: [Array<{ sealed: string }>, number] = await this.database.asService((tx) =>
      tx.query(
        `delete from oauth_artifacts where model = $1 and id_hash = $2 and expires_at > now()
         returning payload ->> 'sealed' as sealed`,
        [this.model, hashId(id)],
      ),
    );
    return rows[0] === undefined ? undefined : JSON.parse(this.openText(id, rows[0].sealed));
  }

  /** Notes an id for some seconds; false where it is noted already. */
  async noteFirst(id: string, seconds: number): Promise<boolean> {
    const rows: unknown[] = await this.database.asService((tx) =>
      tx.query(
        `insert into oauth_artifacts (model, id_hash, payload, expires_at)
         values ($1, $2, '{}', now() + make_interval(secs => $3))
         on conflict (model, id_hash) do update set expires_at = excluded.expires_at
           where oauth_artifacts.expires_at < now()
         returning 1`,
        [this.model, hashId(id), seconds],
      ),
    );
    return rows.length > 0;
  }

  /** Whether an id is noted at present. */
  async isNoted(id: string): Promise<boolean> {
    const rows: unknown[] = await this.database.asService((tx) =>
      tx.query(`select 1 from oauth_artifacts where model = $1 and id_hash = $2 and expires_at > now()`, [
        this.model,
        hashId(id),
      ]),
    );
    return rows.length > 0;
  }
}
