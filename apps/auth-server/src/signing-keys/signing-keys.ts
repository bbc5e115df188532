import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Secret } from '#libs/config';
import type { Database, Transaction } from '#libs/database';
import { openWithMaster, sealWithMaster } from '#libs/secrets';

const ALGORITHM = 'ES256';
const PURPOSE = 'signing-keys';

interface KeyRow {
  readonly kid: string;
  readonly private_jwk: Buffer;
}

/**
 * The private keys (JWK) of the issuer, the one that signs first: a P-256 key made at the first start under a lock and
 * shared by all instances, sealed at rest. A key with `retires_at` in the future is published but no longer signs.
 */
export async function provideSigningKeys(database: Database, masterKey: Secret): Promise<JWK[]> {
  return database.asService(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('wharf:signing-keys', 0))`);
    const rows: KeyRow[] = await tx.query(
      `select kid, private_jwk from signing_keys where retires_at is null or retires_at > now()
       order by retires_at desc nulls first, created_at desc`,
    );
    const signing: Array<{ kid: string }> = await tx.query(
      `select kid from signing_keys where retires_at is null limit 1`,
    );
    const kept = rows.map((row) => openKey(row, masterKey));
    return signing.length > 0 ? kept : [await storeNewKey(tx, masterKey), ...kept];
  });
}

/** Throws when no key could sign. */
export async function requireSigningKey(database: Database): Promise<void> {
  const rows: unknown[] = await database.asService((tx) =>
    tx.query(`select 1 from signing_keys where retires_at is null limit 1`),
  );
  if (rows.length === 0) throw new Error('no signing key');
}

function openKey(row: KeyRow, masterKey: Secret): JWK {
  return JSON.parse(openWithMaster(masterKey, PURPOSE, row.private_jwk).toString());
}

async function storeNewKey(tx: Transaction, masterKey: Secret): Promise<JWK> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  const marks = { kid, alg: ALGORITHM, use: 'sig' };
  const privateJwk: JWK = { ...(await exportJWK(privateKey)), ...marks };
  await tx.query(`insert into signing_keys (kid, alg, public_jwk, private_jwk) values ($1, $2, $3, $4)`, [
    kid,
    ALGORITHM,
    JSON.stringify({ ...publicJwk, ...marks }),
    sealWithMaster(masterKey, PURPOSE, Buffer.from(JSON.stringify(privateJwk))),
  ]);
  return privateJwk;
}
