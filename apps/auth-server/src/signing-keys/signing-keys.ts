import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { meter } from '#libs/telemetry';
import type { Secret } from '#libs/config';
import type { Database, Transaction } from '#libs/database';
import { masterKeyId, openWithMaster, sealWithMaster } from '#libs/secrets';

const ALGORITHM = 'ES256';
const PURPOSE = 'signing-keys';
/** A new key is published this long before it signs: longer than anybody keeps our key set. */
const PUBLISHED_AHEAD = '15 minutes';
/** A key that signs no more stays published this long: longer than any of its tokens lives. */
const PUBLISHED_AFTER = '1 hour';
/** What is left of an ended key's row, for whoever asks when it ended. */
const REMEMBERED = '1 day';

interface KeyRow {
  readonly kid: string;
  readonly private_jwk: Buffer;
  readonly signs: boolean;
  readonly due: boolean;
}

/**
 * The private keys (JWK) of the issuer, the one that signs first, sealed at rest. A key is, in this order:
 *
 * - `coming`: published, `signs_from` in the future
 * - `signing`: the one of the latest `signs_from` that has come
 * - `leaving`: another has taken over; published until `retires_at`, when none of its tokens can be left
 * - `retired`: in no key set, and deleted a day later
 *
 * This call also takes what steps are due, under a lock that all instances share: the first key, the successor of a
 * key that is `daysMax` old or whose `rotates_at` has come (an operator's wish), and the deletion of retired keys. A
 * signing key that was retired at once is replaced at once.
 */
export async function provideSigningKeys(database: Database, masterKey: Secret, daysMax = 90): Promise<JWK[]> {
  return database.asService(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('wharf:signing-keys', 0))`);
    await tx.query(`delete from signing_keys where retires_at < now() - interval '${REMEMBERED}'`);
    const rows = await publishedKeys(tx, daysMax);
    const [first] = rows;
    if (first === undefined) {
      await storeNewKey(tx, masterKey, 'now()');
    } else if (first.signs && first.due && !rows.some((row) => !row.signs)) {
      await storeNewKey(tx, masterKey, `now() + interval '${PUBLISHED_AHEAD}'`);
      await tx.query(
        `update signing_keys set retires_at =
           coalesce(retires_at, now() + interval '${PUBLISHED_AHEAD}' + interval '${PUBLISHED_AFTER}')
         where kid = $1`,
        [first.kid],
      );
    } else {
      return rows.map((row) => openKey(row, masterKey));
    }
    return (await publishedKeys(tx, daysMax)).map((row) => openKey(row, masterKey));
  });
}

/** Throws when no key could sign. */
export async function requireSigningKey(database: Database): Promise<void> {
  const rows: unknown[] = await database.asService((tx) =>
    tx.query(`select 1 from signing_keys where retires_at is null or retires_at > now() limit 1`),
  );
  if (rows.length === 0) throw new Error('no signing key');
}

/** What the key set holds; the one that signs first, those to come last. */
async function publishedKeys(tx: Transaction, daysMax: number): Promise<KeyRow[]> {
  return tx.query(
    `select kid, private_jwk, signs_from <= now() as signs,
       coalesce(rotates_at <= now(), false) or retires_at is not null
         or signs_from < now() - make_interval(days => $1) as due
     from signing_keys where retires_at is null or retires_at > now()
     order by signs_from <= now() desc, signs_from desc, created_at desc`,
    [daysMax],
  );
}

function openKey(row: KeyRow, masterKey: Secret): JWK {
  return JSON.parse(openWithMaster(masterKey, PURPOSE, row.private_jwk).toString());
}

async function storeNewKey(tx: Transaction, masterKey: Secret, signsFrom: string): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  const marks = { kid, alg: ALGORITHM, use: 'sig' };
  const privateJwk: JWK = { ...(await exportJWK(privateKey)), ...marks };
  await tx.query(
    `insert into signing_keys (kid, alg, public_jwk, private_jwk, root_key_id, signs_from)
     values ($1, $2, $3, $4, $5, ${signsFrom})`,
    [
      kid,
      ALGORITHM,
      JSON.stringify({ ...publicJwk, ...marks }),
      sealWithMaster(masterKey, PURPOSE, Buffer.from(JSON.stringify(privateJwk))),
      masterKeyId(masterKey),
    ],
  );
}

/** Shows how old the key is that signs tokens, read when metrics are collected. Returns its end. */
export function showSigningKeyAge(database: Database): () => void {
  const age = meter('auth-server').createObservableGauge('wharf_signing_key_age_seconds', {
    description: 'Age of the newest key that signs tokens.',
    unit: 's',
  });
  const read: Parameters<typeof age.addCallback>[0] = async (result) => {
    const rows: Array<{ age: number }> = await database.asService((tx) =>
      tx.query(`select coalesce(extract(epoch from now() - max(created_at)), 0)::float8 as age
        from signing_keys where retires_at is null`),
    );
    result.observe(rows[0]?.age ?? 0);
  };
  age.addCallback(read);
  return () => age.removeCallback(read);
}
