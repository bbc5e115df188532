import { createHash, createHmac } from 'node:crypto';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Secret } from '#libs/config';
import type { Database, Transaction } from '#libs/database';
import { deriveLasting, masterKeyId, openWithMaster, sealWithMaster } from '#libs/secrets';

/** A client that nobody has let in yet is forgotten after this time. */
const UNUSED_CLIENT_SECONDS = 7 * 24 * 60 * 60;

/** A row as it is read. */
export interface ArtifactRow {
  readonly id_hash: string;
  readonly sealed: string;
  readonly consumed: number | null;
}

/** What is stored in place of an id that is itself a credential. */
export function hashId(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}

/**
 * One model of the authorization server's state in PostgreSQL (`oauth_artifacts`): ids are hashes, and payloads are sealed
 * under the master key for exactly their row. What somebody can present is kept in a `PresentedStore` or a `NamelessStore`.
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
    const row = await this.rowWhere('id_hash', this.hashOf(id));
    return row && { ...this.payloadOf(row, id), ...consumedOf(row) };
  }

  /** Only sessions are found so. */
  async findByUid(_uid: string): Promise<AdapterPayload | undefined> {
    return undefined;
  }

  /** Only codes of devices are found so. */
  async findByUserCode(_userCode: string): Promise<AdapterPayload | undefined> {
    return undefined;
  }

  /** Marks it as used; of several at once exactly one succeeds, the others are refused. */
  async consume(id: string): Promise<void> {
    const [rows] = await this.database.asService((tx) =>
      tx.query(
        `update oauth_artifacts set consumed_at = now()
         where model = $1 and id_hash = $2 and consumed_at is null returning 1`,
        [this.model, this.hashOf(id)],
      ),
    );
    if (rows.length === 0) throw new errors.InvalidGrant('already used');
  }

  async destroy(id: string): Promise<void> {
    await this.database.asService((tx) =>
      tx.query(`delete from oauth_artifacts where model = $1 and id_hash = $2`, [this.model, this.hashOf(id)]),
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
      `insert into oauth_artifacts (model, id_hash, payload, grant_id, uid, expires_at, user_code, root_key_id)
       values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6), $7, $8)
       on conflict (model, id_hash) do update set payload = excluded.payload, root_key_id = excluded.root_key_id, grant_id = excluded.grant_id,
         uid = excluded.uid, expires_at = excluded.expires_at`,
      [
        this.model,
        this.hashOf(id),
        JSON.stringify({ sealed: this.sealed(id, payload) }),
        payload.grantId === undefined ? null : hashId(payload.grantId),
        payload.uid === undefined ? null : hashId(payload.uid),
        expiresInSeconds ?? null,
        payload.userCode === undefined ? null : this.userCodeHash(payload.userCode),
        this.rootKeyId,
      ],
    );
  }

  /** What stands in a row for an id. */
  protected hashOf(id: string): string {
    return hashId(id);
  }

  /** A payload as it is stored under an id. */
  protected sealed(id: string, payload: AdapterPayload): string {
    return this.sealRow(this.hashOf(id), JSON.stringify(payload));
  }

  /** Under which master key a row is sealed that is written now. */
  protected get rootKeyId(): string {
    return masterKeyId(this.masterKey);
  }

  /** The payload of a row that was found by an id. */
  protected payloadOf(row: Pick<ArtifactRow, 'id_hash' | 'sealed'>, _id: string): AdapterPayload {
    return JSON.parse(this.openRow(row.id_hash, row.sealed));
  }

  protected sealRow(idHash: string, text: string): string {
    return sealWithMaster(this.masterKey, this.purpose(idHash), Buffer.from(text)).toString('base64');
  }

  protected openRow(idHash: string, sealed: string): string {
    return openWithMaster(this.masterKey, this.purpose(idHash), Buffer.from(sealed, 'base64')).toString();
  }

  /** Codes that people type are few enough to try them all, so their hash is keyed. */
  protected userCodeHash(userCode: string): string {
    return createHmac('sha256', deriveLasting(this.masterKey, 'user-codes')).update(userCode).digest('hex');
  }

  /** What is sealed for one row cannot be moved to another. */
  protected purpose(idHash: string): string {
    return `oauth-artifacts:${this.model}:${idHash}`;
  }

  protected async rowWhere(column: 'id_hash' | 'uid' | 'user_code', value: string): Promise<ArtifactRow | undefined> {
    const rows: ArtifactRow[] = await this.database.asService((tx) =>
      tx.query(
        `select id_hash, payload ->> 'sealed' as sealed, extract(epoch from consumed_at)::integer as consumed
         from oauth_artifacts where model = $1 and ${column} = $2 and (expires_at is null or expires_at > now())`,
        [this.model, value],
      ),
    );
    return rows[0];
  }
}

/** What says that a row was used, where it was. */
export function consumedOf({ consumed }: Pick<ArtifactRow, 'consumed'>): { consumed?: number } {
  return consumed === null ? {} : { consumed };
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
