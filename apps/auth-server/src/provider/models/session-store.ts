import type { AdapterPayload } from 'oidc-provider';
import { hashId } from '../artifacts/artifact-store.js';
import { NamelessStore } from '../artifacts/nameless-store.js';

/**
 * Browser sessions, which end together when their person's password changes. A request that loaded one before may save
 * it after, so a session from before that moment is refused too when it is looked up.
 */
export class SessionStore extends NamelessStore {
  override async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    const uid = hashId(payload.uid ?? id);
    await this.database.asService(async (tx) => {
      // Two requests of one browser may each have given its session a new id; the later one's is what counts.
      await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [uid]);
      await tx.query(`delete from oauth_artifacts where model = $1 and uid = $2 and id_hash <> $3`, [
        this.model,
        uid,
        this.hashOf(id),
      ]);
      await this.write(tx, id, payload, expiresInSeconds);
      await tx.query(`update oauth_artifacts set account_id = $3::uuid where model = $1 and id_hash = $2`, [
        this.model,
        this.hashOf(id),
        payload.accountId ?? null,
      ]);
    });
  }

  override async find(id: string): Promise<AdapterPayload | undefined> {
    return this.#living(await super.find(id));
  }

  override async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const row = await this.rowWhere('uid', hashId(uid));
    return this.#living(row && this.found(row));
  }

  async #living(payload: AdapterPayload | undefined): Promise<AdapterPayload | undefined> {
    if (payload?.accountId === undefined) return payload;
    const rows: unknown[] = await this.database.asService((tx) =>
      tx.query(
        `select 1 from accounts
         where id = $1 and (sessions_ended_at is null or floor(extract(epoch from sessions_ended_at)) <= $2)`,
        [payload.accountId, payload.loginTs ?? 0],
      ),
    );
    return rows.length > 0 ? payload : undefined;
  }
}
