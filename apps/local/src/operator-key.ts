import { createHash } from 'node:crypto';
import type { Secret } from '#libs/config';
import { Database, newId, type Transaction } from '#libs/database';

/** Where a key comes from: the data folder of `npm start`, or `WHARF_OPERATOR_KEY` of `npm run migrate`. */
export type KeySource = 'local' | 'migrate';

/** Says what the platform does by itself (`Wharf itself`). */
const PLATFORM = '00000000-0000-7000-8000-000000000000';

/**
 * Makes a key an operator's, and shuts those that its source named before; the table holds hashes only. A key that was
 * shut stays so, however often it is named: `shut`. Changes stand in the platform's log.
 */
export async function provideOperator(
  databaseUrl: string,
  masterKey: Secret,
  operator: { readonly source: KeySource; readonly key: Secret },
): Promise<'stands' | 'shut'> {
  const database = await Database.connect({ databaseUrl, role: 'wharf_operator', masterKey, poolSize: 1 });
  const hash = createHash('sha256').update(operator.key.reveal()).digest('hex');
  try {
    return await database.asService((tx) => provide(tx, operator.source, hash));
  } finally {
    await database.close();
  }
}

async function provide(tx: Transaction, source: KeySource, hash: string): Promise<'stands' | 'shut'> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('wharf:emergency-keys', 0))`);
  const known: Array<{ key_shut_at: Date | null }> = await tx.query(
    `select key_shut_at from operators where key_hash = $1`,
    [hash],
  );
  if (known.some(({ key_shut_at: shutAt }) => shutAt !== null)) return 'shut';
  const made = known.length === 0 ? newId() : undefined;
  if (made !== undefined)
    await tx.query(`insert into operators (id, name, key_hash) values ($1, $2, $3)`, [made, source, hash]);
  const [shut]: [Array<{ id: string }>, number] = await tx.query(
    `update operators set key_shut_at = now()
     where name = $1 and key_hash is not null and key_hash <> $2 and key_shut_at is null returning id`,
    [source, hash],
  );
  if (made === undefined && shut.length === 0) return 'stands';
  await tx.query(`insert into operator_actions (operator_id, action, reason, details) values ($1, $2, $3, $4)`, [
    PLATFORM,
    'emergency_keys.provide',
    source === 'local' ? 'the key of the data folder' : 'WHARF_OPERATOR_KEY of npm run migrate',
    JSON.stringify({ ...(made === undefined ? {} : { made }), shut: shut.map(({ id }) => id) }),
  ]);
  return 'stands';
}
