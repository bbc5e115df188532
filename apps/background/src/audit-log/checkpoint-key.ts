import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { publicKeyBytes } from '#libs/audit';
import type { Secret } from '#libs/config';
import { newId, type Database } from '#libs/database';
import { masterKeyId, openWithMaster, sealWithMaster } from '#libs/secrets';

const PURPOSE = 'audit-checkpoints';

/** The Ed25519 key that signs checkpoints: the newest there is, or one made now, under a lock, and sealed at rest. */
export async function provideCheckpointKey(database: Database, masterKey: Secret): Promise<KeyObject> {
  return database.asService(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('wharf:audit-keys', 0))`);
    const rows: Array<{ sealed: Buffer }> = await tx.query(
      `select sealed from audit_keys order by created_at desc, id desc limit 1`,
    );
    const [newest] = rows;
    if (newest !== undefined)
      return createPrivateKey({ key: openWithMaster(masterKey, PURPOSE, newest.sealed), format: 'der', type: 'pkcs8' });
    const { privateKey } = generateKeyPairSync('ed25519');
    await tx.query(`insert into audit_keys (id, public_key, sealed, root_key_id) values ($1, $2, $3, $4)`, [
      newId(),
      publicKeyBytes(privateKey),
      sealWithMaster(masterKey, PURPOSE, privateKey.export({ type: 'pkcs8', format: 'der' })),
      masterKeyId(masterKey),
    ]);
    return privateKey;
  });
}
