import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { AccessTokenVerifier } from '#libs/identity';
import { until } from '#libs/testing';
import { AuthWorld } from '../testing/auth-world.fixture.js';

const EMAIL = 'ana@acme.test';
let world: AuthWorld;
let mcp: string;
beforeAll(async () => {
  world = await AuthWorld.open({ WHARF_SIGNING_KEY_CHECK_MS: '50' });
  const acme = await world.addTenant('acme');
  await world.addPerson(EMAIL, { [acme]: 'user' });
  mcp = `${world.url}/t/acme/mcp`;
});
afterAll(() => world.close());

async function published(): Promise<string[]> {
  const { keys }: { keys: Array<{ kid: string }> } = JSON.parse(await (await fetch(`${world.url}/auth/jwks`)).text());
  return keys.map(({ kid }) => kid);
}

/** The key set, as soon as it is as it should be. */
function publishedOnce(fits: (kids: string[]) => boolean): Promise<string[]> {
  return until(async () => {
    const kids = await published();
    return fits(kids) && kids;
  }, 'the key set');
}

async function signedToken(): Promise<string> {
  return String((await world.signedIn(await world.register(), mcp, EMAIL)).body['access_token']);
}

const kidOf = (token: string): string | undefined => decodeProtectedHeader(token).kid;

/** What a gateway that has just started says of a token. */
async function verified(token: string): Promise<boolean> {
  const verifier = new AccessTokenVerifier({ issuer: `${world.url}/auth`, jwksUrl: `${world.url}/auth/jwks` });
  return verifier.verify(token, mcp).then(
    () => true,
    () => false,
  );
}

describe('O-39: a rotation', () => {
  let old: string;
  let token: string;
  let next: string;

  test('publishes the new key before it signs', async () => {
    token = await signedToken();
    old = kidOf(token) ?? '';
    await world.owner.query(`update signing_keys set rotates_at = now()`);
    const kids = await publishedOnce((seen) => seen.length === 2);
    next = kids.find((kid) => kid !== old) ?? '';
    expect(kidOf(await signedToken())).toBe(old);
    const { rows } = await world.owner.query<{ ahead: boolean; behind: boolean }>(
      `select (select signs_from > now() + interval '10 minutes' from signing_keys where kid = $2) as ahead,
         (select retires_at > now() + interval '70 minutes' from signing_keys where kid = $1) as behind`,
      [old, next],
    );
    expect(rows).toEqual([{ ahead: true, behind: true }]);
  });

  test('lets the new key sign when its time has come, and the old one’s tokens go on', async () => {
    await world.owner.query(`update signing_keys set signs_from = now() where kid = $1`, [next]);
    await publishedOnce(([first]) => first === next);
    const fresh = await signedToken();
    expect(kidOf(fresh)).toBe(next);
    expect([await verified(token), await verified(fresh)]).toEqual([true, true]);
  });

  test('ends with the old key in no key set and its tokens refused', async () => {
    await world.owner.query(`update signing_keys set retires_at = now() where kid = $1`, [old]);
    expect(await publishedOnce((kids) => !kids.includes(old))).toEqual([next]);
    expect(await verified(token)).toBe(false);
    expect(await verified(await signedToken())).toBe(true);
  });

  test('of a key that must end at once brings another at once, and nobody is signed out', async () => {
    const client = await world.register();
    const held = await world.signedIn(client, mcp, EMAIL);
    await world.owner.query(`update signing_keys set retires_at = now() where kid = $1`, [next]);
    await publishedOnce((kids) => kids.length === 1 && !kids.includes(next));
    const refreshed = await world.refresh(client, held.body['refresh_token'], mcp);
    expect(refreshed.status).toBe(200);
    expect([
      await verified(String(held.body['access_token'])),
      await verified(String(refreshed.body['access_token'])),
    ]).toEqual([false, true]);
  });
});

test('private keys are sealed at rest', async () => {
  const { rows } = await world.owner.query<{ sealed: string }>(
    `select encode(private_jwk, 'escape') as sealed from signing_keys`,
  );
  for (const { sealed } of rows) expect(sealed).not.toMatch(/"d"|"kty"/);
});
