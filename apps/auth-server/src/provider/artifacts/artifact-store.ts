import { createHash, createHmac } from 'node:crypto';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Secret } from '#libs/config';
import type { Database, Transaction } from '#libs/database';
import { deriveKey, openWithMaster, sealWithMaster } from '#libs/secrets';

/** A client that nobody has let in yet is forgotten after this time. */
const UNUSED_CLIENT_SECONDS = 7 * 24 * 60 * 60;

interface ArtifactRow {
  readonly id_hash: string;
  readonly payload: { readonly sealed: string };
  readonly consumed: number | null;
}

/** What is stored in place of an id that is itself a credential. */
export function hashId(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}

/**
 * One model of the authorization server's state in PostgreSQL (`oauth_artifacts`). A reader of the table gets nothing
 * usable: ids are hashes, and payloads are sealed under the master key for exactly their row.
 */
export class ArtifactStore implements Adapter {
  constructor(
    protected readonly model: string,
    protected readonly database: Database,
    protected readonly masterKey: Secret,
  ) {}

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    await this.database.asService((tx) => this.write(tx, id, payload, expiresInSeconds));
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.#findWhere('id_hash', hashId(id));
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#findWhere('uid', hashId(uid));
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#findWhere('user_code', this.#userCodeHash(userCode));
  }

  /** Marks it as used; of several at once exactly one succeeds, the others are refused. */
  async consume(id: string): Promise<void> {
    const [rows] = await this.database.asService((tx) =>
      tx.query(
        `update oauth_artifacts set consumed_at = now()
         where model = $1 and id_hash = $2 and consumed_at is null returning 1`,
        [this.model, hashId(id)],
      ),
    );
    if (rows.length === 0) throw new errors.InvalidGrant('already used');
  }

  async destroy(id: string): Promise<void> {
    await this.database.asService((tx) =>
      tx.query(`delete from oauth_artifacts where model = $1 and id_hash = $2`, [this.model, hashId(id)]),
    );
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.database.asService((tx) =>
      tx.query(`delete from oauth_artifacts where model = $1 and grant_id = $2`, [this.model, hashId(grantId)]),
    );
  }

  protected async write(
    tx: Transaction,
    id: string,
    payload: AdapterPayload,
    expiresInSeconds = this.model === 'Client' ? UNUSED_CLIENT_SECONDS : undefined,
  ): Promise<void> {
    await tx.query(
      `insert into oauth_artifacts (model, id_hash, payload, grant_id, uid, expires_at, user_code)
       values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6), $7)
       on conflict (model, id_hash) do update set payload = excluded.payload, grant_id = excluded.grant_id,
         uid = excluded.uid, expires_at = excluded.expires_at`,
      [
        this.model,
        hashId(id),
        JSON.stringify({ sealed: this.seal(hashId(id), JSON.stringify(payload)) }),
        payload.grantId === undefined ? null : hashId(payload.grantId),
        payload.uid === undefined ? null : hashId(payload.uid),
        expiresInSeconds ?? null,
        payload.userCode === undefined ? null : this.#userCodeHash(payload.userCode),
      ],
    );
  }

  protected seal(idHash: string, text: string): string {
    return sealWithMaster(this.masterKey, this.#purpose(idHash), Buffer.from(text)).toString('base64');
  }

  protected open(idHash: string, sealed: string): string {
    return openWithMaster(this.masterKey, this.#purpose(idHash), Buffer.from(sealed, 'base64')).toString();
  }

  /** Codes that people type are few enough to try them all, so their hash is keyed. */
  #userCodeHash(userCode: string): string {
    return createHmac('sha256', deriveKey(this.masterKey, 'user-codes')).update(userCode).digest('hex');
  }

  /** What is sealed for one row cannot be moved to another. */
  #purpose(idHash: string): string {
    return `oauth-artifacts:${this.model}:${idHash}`;
  }

  async #findWhere(column: 'id_hash' | 'uid' | 'user_code', value: string): Promise<AdapterPayload | undefined> {
    const rows: ArtifactRow[] = await this.database.asService((tx) =>
      tx.query(
        `select id_hash, payload, extract(epoch from consumed_at)::integer as consumed from oauth_artifacts
         where model = $1 and ${column} = $2 and (expires_at is null or expires_at > now())`,
        [this.model, value],
      ),
    );
    const row = rows[0];
    if (row === undefined) return undefined;
    const payload: AdapterPayload = JSON.parse(this.open(row.id_hash, row.payload.sealed));
    return row.consumed === null ? payload : { ...payload, consumed: row.consumed };
  }
}

/** Keeps a client that is in use for another `seconds`. */
export async function keepClient(database: Database, clientId: string, seconds: number): Promise<void> {
  await database.asService((tx) =>
    tx.query(
      `update oauth_artifacts set expires_at = now() + make_interval(secs => $2)
       where model = 'Client' and id_hash = $1`,
      [hashId(clientId), seconds],
    ),
  );
}
