import { ConfigError, MasterKeys, ringOf, type Secret } from '#libs/config';
import type { Database } from '#libs/database';
import {
  decrypt,
  deriveKey,
  encrypt,
  LASTING_PURPOSES,
  masterKeyId,
  openWithMaster,
  sealWithMaster,
} from './envelope.js';

interface MasterKeyRow {
  readonly id: string;
  readonly canary: Buffer;
  readonly has_left: boolean;
}

/** Runs one statement, whoever is connected. */
export type Query = <Row>(sql: string, parameters?: unknown[]) => Promise<Row[]>;

/** Thrown when the master key that seals is not written down in this database, which `npm run migrate` does. */
export class KeyNotInUse extends ConfigError {}

const CANARY = Buffer.from('the canary sings');
const KEYS = `select id, canary, left_at is not null as has_left from master_keys order by created_at, id`;

/**
 * Sees to it that a service was given this database's master keys: the first opens its canary, and none that rows are
 * sealed under is missing. Takes over the derived keys that last. Nothing is changed.
 * @throws ConfigError that says what to set
 */
export async function acceptMasterKeys(database: Database, masterKey: Secret): Promise<void> {
  await database.asService(async (tx) => {
    const rows: MasterKeyRow[] = await tx.query(KEYS);
    refuseForeign(rows, masterKey);
    const current = rows.find(({ id }) => id === masterKeyId(masterKey));
    if (current === undefined || current.has_left)
      throw new KeyNotInUse(
        `The first key of WHARF_MASTER_KEY, ${masterKeyId(masterKey)}, is not in use in this database: run \`npm run migrate\` with the same WHARF_MASTER_KEY first.`,
      );
    if (!(masterKey instanceof MasterKeys)) return;
    const kept: Array<{ purpose: string; sealed: Buffer }> = await tx.query(`select purpose, sealed from lasting_keys`);
    for (const { purpose, sealed } of kept)
      masterKey.learn(purpose, openWithMaster(masterKey, lastingPurpose(purpose), sealed));
  });
}

/**
 * Refuses master keys that are not this database's, before anything is changed: none of its keys is among them, one does
 * not open its canary, or one is missing that rows are sealed under. @throws ConfigError
 */
export async function refuseForeignKeys(query: Query, masterKey: Secret): Promise<void> {
  refuseForeign(await query<MasterKeyRow>(KEYS), masterKey);
}

/** Writes down which master keys there are, each with a canary, and the derived keys that last; what is there stays. */
export async function recordMasterKeys(query: Query, masterKey: Secret): Promise<void> {
  const current = masterKeyId(masterKey);
  for (const key of ringOf(masterKey)) {
    const id = masterKeyId(key);
    // Nothing is sealed under one that only opens, until it is the first.
    await query(
      `insert into master_keys (id, canary, left_at) values ($1, $2, case when $3 then null else now() end)
       on conflict (id) do nothing`,
      [id, encrypt(deriveKey(key, 'canary'), CANARY, canaryContext(id)), id === current],
    );
  }
  await query(`update master_keys set left_at = null where id = $1 and left_at is not null`, [current]);
  const [{ master_key_id: firstId } = { master_key_id: current }] = await query<{ master_key_id: string }>(
    `select master_key_id from installation`,
  );
  const first = ringOf(masterKey).find((key) => masterKeyId(key) === firstId) ?? masterKey;
  for (const purpose of LASTING_PURPOSES)
    await query(
      `insert into lasting_keys (purpose, sealed, root_key_id) values ($1, $2, $3) on conflict (purpose) do nothing`,
      [purpose, sealWithMaster(masterKey, lastingPurpose(purpose), deriveKey(first, purpose)), current],
    );
}

/** What a lasting key is sealed for. */
export function lastingPurpose(purpose: string): string {
  return `lasting|${purpose}`;
}

function refuseForeign(rows: readonly MasterKeyRow[], masterKey: Secret): void {
  const given = new Map(ringOf(masterKey).map((key) => [masterKeyId(key), key]));
  if (rows.length > 0 && !rows.some(({ id }) => given.has(id)))
    throw new ConfigError(
      `WHARF_MASTER_KEY is not the key that this database was set up with (${rows.map(({ id }) => id).join(', ')}); without that key its secrets cannot be read. Set it, or another DATABASE_URL.`,
    );
  for (const { id, canary } of rows) {
    const key = given.get(id);
    if (key !== undefined && !opens(key, id, canary))
      throw new ConfigError(`Master key ${id} does not open its canary: the database was changed. Restore a backup.`);
  }
  const missing = rows.find(({ id, has_left: hasLeft }) => !hasLeft && !given.has(id));
  if (missing !== undefined)
    throw new ConfigError(
      `Rows are still sealed under master key ${missing.id}: name it in WHARF_MASTER_KEY, after the one that seals, until \`GET /admin/v1/master-keys\` says that it has left.`,
    );
}

function opens(key: Secret, id: string, canary: Buffer): boolean {
  try {
    return decrypt(deriveKey(key, 'canary'), canary, canaryContext(id)).equals(CANARY);
  } catch {
    return false;
  }
}

function canaryContext(id: string): string {
  return `canary|${id}`;
}
