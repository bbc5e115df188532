import { createHash } from 'node:crypto';
import type { Secret } from '#libs/config';
import { Database, newId } from '#libs/database';

/** Makes a key an operator's; the table holds its hash only. A key that is one already stays as it is. */
export async function provideOperator(
  databaseUrl: string,
  masterKey: Secret,
  operator: { readonly name: string; readonly key: Secret },
): Promise<void> {
  const database = await Database.connect({ databaseUrl, role: 'wharf_operator', masterKey, poolSize: 1 });
  const hash = createHash('sha256').update(operator.key.reveal()).digest('hex');
  try {
    await database.asService((tx) =>
      tx.query(`insert into operators (id, name, key_hash) values ($1, $2, $3) on conflict (key_hash) do nothing`, [
        newId(),
        operator.name,
        hash,
      ]),
    );
  } finally {
    await database.close();
  }
}
