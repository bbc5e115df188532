import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { locationOf, type Answered } from '../testing/auth-world.fixture.js';
import { ANNA, FederationWorld } from '../testing/federation-world.fixture.js';

let f: FederationWorld;
let held: Answered;

beforeAll(async () => {
  f = await FederationWorld.open();
});
afterAll(() => f?.close());
beforeEach(async () => {
  await f.begin();
  held = await signedIn();
});

async function signedIn(): Promise<Answered> {
  const location = locationOf(await f.signIn());
  return f.world.redeem(f.client, location.searchParams.get('code'), f.resource);
}

/** What the agent gets for its newest refresh token. */
async function refreshed(): Promise<Answered> {
  const answer = await f.world.refresh(f.client, held.body['refresh_token'], f.resource);
  if (answer.status === 200) held = answer;
  return answer;
}

async function anHourPasses(): Promise<void> {
  await f.world.owner.query(`update federated_identities set checked_at = checked_at - interval '61 minutes'`);
}

const standing = async (): Promise<Record<string, unknown>> => {
  const { rows } = await f.world.owner.query(
    `select signed_in_at > now() - interval '1 minute' as counts, refresh_ciphertext is not null as kept,
       now() - checked_at < interval '1 minute' as fresh from federated_identities`,
  );
  return rows[0] ?? {};
};

describe('a person of a tenant’s provider', () => {
  test('who is still there is asked about in an hour, and goes on', async () => {
    await f.world.owner.query(`update federated_identities set signed_in_at = now() - interval '5 hours'`);
    expect((await refreshed()).status).toBe(200);
    expect(await standing()).toEqual({ counts: false, kept: true, fresh: true });
    for (let hour = 0; hour < 3; hour += 1) {
      await anHourPasses();
      expect((await refreshed()).status).toBe(200);
      expect(await standing()).toEqual({ counts: true, kept: true, fresh: true });
    }
    expect(await f.members()).toEqual(['anna@company.example developer']);
  });

  test('who lost every group loses membership and grants', async () => {
    await f.company.tell({ person: { ...ANNA, groups: ['sales'] } });
    expect((await refreshed()).status).toBe(200);
    await anHourPasses();
    const refused = await refreshed();
    expect([refused.status, refused.body['error'], await f.members()]).toEqual([400, 'invalid_grant', []]);
    expect(await f.world.audited(f.acme)).toContain('member.removed ok');
  });

  test('whose groups are not told this time keeps the role of the last sign-in', async () => {
    await f.company.tell({ person: { sub: ANNA.sub, email: ANNA.email } });
    await anHourPasses();
    expect((await refreshed()).status).toBe(200);
    expect(await f.members()).toEqual(['anna@company.example developer']);
  });

  test('who is gone gets nothing until they sign in again, and the log says so', async () => {
    await f.company.tell({ person: ANNA, gone: true });
    await anHourPasses();
    const refused = await refreshed();
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_grant']);
    expect(await standing()).toMatchObject({ counts: false, kept: false });
    expect((await f.world.audited(f.acme)).slice(-2)).toEqual([
      'login.failed sign-in-ended',
      'token.refused no_access',
    ]);
    await f.company.tell({ person: ANNA });
    expect((await refreshed()).status).toBe(400);
    held = await signedIn();
    expect((await refreshed()).status).toBe(200);
  });

  test('is not asked about while the provider is away, and goes on until they have to sign in again', async () => {
    await f.company.stop();
    await f.forgetCompany();
    await anHourPasses();
    expect((await refreshed()).status).toBe(200);
    await f.world.owner.query(`update federated_identities set signed_in_at = now() - interval '8 days'`);
    expect((await refreshed()).status).toBe(400);
    await f.restartCompany();
  });

  test('of a provider without refresh tokens is not asked about', async () => {
    await f.company.tell({ person: ANNA, forgets: true });
    held = await signedIn();
    expect(await standing()).toMatchObject({ kept: false });
    await f.company.tell({ person: ANNA, gone: true });
    await anHourPasses();
    expect((await refreshed()).status).toBe(200);
  });

  test('is asked about once, however many agents want tokens at once', async () => {
    await anHourPasses();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => f.world.refresh(f.client, held.body['refresh_token'], f.resource)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await standing()).toMatchObject({ counts: true, kept: true });
  });
});

test('what a provider is asked with is sealed', async () => {
  const { rows } = await f.world.owner.query(`select refresh_ciphertext as sealed from federated_identities`);
  expect(rows[0].sealed.toString('latin1')).not.toMatch(/^[\w-]{20,}$/);
});
