import { openWithMaster } from '#libs/secrets';
import { TEST_MASTER_KEY, type Wharf } from '#libs/testing';
import { importJWK, SignJWT } from 'jose';
import { Client } from 'pg';

/** A token that was good once, signed with the platform's own key. */
export async function expiredToken(wharf: Wharf, tenantSlug: string, audience: string): Promise<string> {
  const owner = new Client({ connectionString: wharf.databaseUrl });
  await owner.connect();
  const keys = await owner.query<{ kid: string; private_jwk: Buffer }>(`select kid, private_jwk from signing_keys`);
  const tenants = await owner.query<{ id: string }>(`select id from tenants where slug = $1`, [tenantSlug]);
  await owner.end();
  const [key] = keys.rows;
  const jwk = JSON.parse(
    openWithMaster(TEST_MASTER_KEY, 'signing-keys', key?.private_jwk ?? Buffer.alloc(0)).toString(),
  );
  const past = Math.floor(Date.now() / 1_000) - 600;
  return new SignJWT({ tenant: tenants.rows[0]?.id, client_id: 'c', scope: 'mcp', jti: 'j' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key?.kid ?? '' })
    .setIssuer(`${wharf.url}/auth`)
    .setAudience(audience)
    .setSubject('00000000-0000-4000-8000-000000000000')
    .setExpirationTime(past)
    .sign(await importJWK(jwk, 'ES256'));
}
