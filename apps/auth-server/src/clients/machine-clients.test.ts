import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { hashClientSecret, mintClientId, mintClientSecret } from '#libs/identity';
import { AuthWorld, type Answered } from '../testing/auth-world.fixture.js';
import { addClient, basic } from '../testing/tenant-clients.fixture.js';

let world: AuthWorld;
let acme: string;
let globex: string;

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme');
  globex = await world.addTenant('globex');
  await world.addServer(acme, 'orders');
});
afterAll(async () => world.close());

const urlOf = (slug: string): string => `${world.url}/t/${slug}/mcp`;

describe('a machine client of a tenant', () => {
  test('gets a token for one URL of its tenant, as itself and within its scopes (O-24)', async () => {
    const machine = await addClient(world, acme);
    const answer = await world.token(machine, { grant_type: 'client_credentials', resource: urlOf('acme') });
    expect([answer.status, answer.body]).toMatchObject([200, { token_type: 'Bearer', scope: 'mcp', expires_in: 600 }]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const claims = decodeJwt(String(answer.body['access_token']));
    expect(claims).toMatchObject({
      iss: `${world.url}/auth`,
      aud: urlOf('acme'),
      sub: machine.client_id,
      client_id: machine.client_id,
      tenant: acme,
      scope: 'mcp',
    });
    expect(answer.body).not.toHaveProperty('refresh_token');
    expect(await world.audited(acme)).toContain('token.issued ok');
  });
});
