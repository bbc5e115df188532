import { createHash, randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** An invitation as its mail would bring it: what is kept of it is put into the database that has the tenant. */
export async function invite(
  databaseUrl: string,
  { tenantId, email, role }: { readonly tenantId: string; readonly email: string; readonly role: string },
): Promise<string> {
  const tenant = Buffer.from(tenantId.replaceAll('-', ''), 'hex').toString('base64url');
  const token = `wiv_${tenant}${randomBytes(32).toString('base64url')}`;
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  try {
    await owner.query(
      `insert into invitations (tenant_id, id, email, role, groups, token_hash, invited_by, expires_at)
       select tenant_id, gen_random_uuid(), $2, $3, '{}', $4, account_id, now() + interval '1 hour'
       from members where tenant_id = $1 and role = 'owner'`,
      [tenantId, email, role, createHash('sha256').update(token).digest('hex')],
    );
  } finally {
    await owner.end();
  }
  return token;
}
