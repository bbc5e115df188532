import { createHash, randomBytes } from 'node:crypto';
import { newId } from '#libs/database';
import { Client } from 'pg';

/** An operator's key, as the configuration names one. */
export async function newEmergencyKey({ databaseUrl }: { readonly databaseUrl: string }): Promise<{
  readonly id: string;
  readonly text: string;
}> {
  const [id, text] = [newId(), `who_${randomBytes(32).toString('base64url')}`];
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  const hash = createHash('sha256').update(text).digest('hex');
  await owner.query(`insert into operators (id, name, key_hash) values ($1, 'Olga', $2)`, [id, hash]);
  await owner.end();
  return { id, text };
}
