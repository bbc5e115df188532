import type Provider from 'oidc-provider';
import type { Database } from '#libs/database';
import { hashId } from '../artifacts/artifact-store.js';

/** Lets a provider take each assertion and each proof of possession once; of several at once exactly one succeeds. */
export function claimOnce(provider: Provider, database: Database): void {
  provider.ReplayDetection.unique = async (issuer: string, jti: string, expiresAtSeconds: number) => {
    const rows: unknown[] = await database.asService((tx) =>
      tx.query(
        `with claimed as (
           insert into oauth_artifacts (model, id_hash, payload, expires_at)
           values ('ReplayDetection', $1, '{}', to_timestamp($2))
           on conflict (model, id_hash) do update set expires_at = excluded.expires_at
             where oauth_artifacts.expires_at < now()
           returning 1)
         select 1 from claimed`,
        [hashId(`${issuer}\0${jti}`), expiresAtSeconds],
      ),
    );
    return rows.length > 0;
  };
}
