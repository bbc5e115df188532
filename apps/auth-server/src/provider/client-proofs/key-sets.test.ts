import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { clientKeySetSchema, type ClientKeySet } from '#libs/identity';
import { ClientDocuments } from '../registration/client-documents.js';
import { assertionOf, newKey, type TestKey } from '../../testing/client-keys.fixture.js';
import { ClientKeySets } from './client-key-sets.js';
import { openProvider, type ProviderWorld } from '../../testing/provider-world.fixture.js';
import { addClient } from '../../testing/tenant-clients.fixture.js';

const KEYS = 'https://agent.example/jwks.json';

let world: ProviderWorld;
let tenantId: string;
let key: TestKey;
let published: unknown;
const fetched: string[] = [];

/** The internet, which is not ours. */
async function fetchKeySet(url: string): Promise<ClientKeySet> {
  fetched.push(url);
  return clientKeySetSchema.parse(published);
}

beforeAll(async () => {
  world = await openProvider({ fetchKeySet, fetch: () => Promise.reject(new Error('no document is asked for')) });
  tenantId = randomUUID();
  await world.owner.query(`insert into tenants (id, slug, name) values ($1, 'acme', 'Acme')`, [tenantId]);
  key = await newKey();
});
afterAll(() => world.close());

async function ask(clientId: string, by = key): Promise<number> {
  const response = await fetch(`${world.origin}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'mcp',
      resource: `${world.origin}/t/acme/mcp`,
      ...(await assertionOf(by, clientId, `${world.origin}/auth`)),
    }),
  });
  return response.status;
}

async function addKeyed(): Promise<string> {
  const keyed = { auth_method: 'private_key_jwt', key_set_url: `${KEYS}?${randomUUID()}` } as const;
  return (await addClient(world, tenantId, keyed)).client_id;
}

describe('a client that publishes its keys (jwks_uri)', () => {
  test('is known by them, and they are fetched once for many tokens', async () => {
    published = { keys: [key.jwk] };
    const id = await addKeyed();
    const before = fetched.length;
    expect([await ask(id), await ask(id), await ask(id)]).toEqual([200, 200, 200]);
    expect(fetched.length - before).toBe(1);
    expect(await ask(id, await newKey())).toBe(401);
  });

  test.each<[string, () => unknown]>([
    ['no keys', () => ({ keys: [] })],
    ['a shared key', () => ({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] })],
    ['something else', () => '<html>'],
  ])('is refused while it publishes %s', async (_, keys) => {
    published = keys();
    const id = await addKeyed();
    const before = fetched.length;
    expect([await ask(id), await ask(id)]).toEqual([401, 401]);
    expect(fetched.length - before).toBe(1);
  });
});

describe('a key set', () => {
  test.each([
    'http://agent.example/jwks',
    'https://127.0.0.1/jwks',
    'https://[::ffff:10.0.0.1]/jwks',
    'https://localhost/jwks',
  ])('is not fetched from %s (O-31)', async (url) => {
    const documents = new ClientDocuments();
    await expect(documents.fetchKeySet(url)).rejects.toThrow();
    await documents.stop();
  });
});

test('a key that is no longer published is not good for longer than a minute', async () => {
  let keys = [key.jwk];
  const sets = new ClientKeySets({ fetchKeySet: async () => clientKeySetSchema.parse({ keys }) });
  expect((await sets.at(KEYS)).keys).toHaveLength(1);
  keys = [];
  expect((await sets.at(KEYS)).keys).toHaveLength(1);
  const later = performance.now() + 60_001;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => later);
  keys = [(await newKey()).jwk, (await newKey()).jwk];
  expect((await sets.at(KEYS)).keys).toHaveLength(2);
  clock.mockRestore();
});
