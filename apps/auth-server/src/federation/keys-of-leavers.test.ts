import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { locationOf } from '../testing/auth-world.fixture.js';
import { ANNA, FederationWorld } from '../testing/federation-world.fixture.js';

let f: FederationWorld;

beforeAll(async () => {
  f = await FederationWorld.open();
});
afterAll(() => f?.close());
beforeEach(() => f.begin());

test.each<[string, string[], unknown[]]>([
  ['revoke', [], [true, 1]],
  ['revoke', ['engineers'], [true, 1]],
  ['keep', [], [false, 0]],
])(
  'whoever loses the role by which they made keys loses these too where their tenant says so: %s, left in %j',
  async (choice, groups, expected) => {
    await f.world.owner.query(
      `update identity_providers set keys_of_leavers = $2, updated_at = now(),
       group_roles = '[{"group":"leads","role":"admin"},{"group":"engineers","role":"developer"}]' where id = $1`,
      [f.provider, choice],
    );
    await f.company.tell({ person: { ...ANNA, groups: ['leads'] } });
    locationOf(await f.signIn());
    const { rows } = await f.world.owner.query(`select account_id as id from members where tenant_id = $1`, [f.acme]);
    const keys = [newId(), newId()];
    for (const [at, maker] of [rows[0].id, newId()].entries()) {
      await f.world.owner.query(
        `insert into api_keys (tenant_id, id, name, key_hash, prefix, scopes, created_by, maker_unknown)
       values ($1, $2, 'k', $3, 'whk_', '{management}', $4, false)`,
        [f.acme, keys[at], randomBytes(32).toString('hex'), maker],
      );
    }
    await f.company.tell({ person: { ...ANNA, groups } });
    await f.signIn();
    const { rows: left } = await f.world.owner.query(
      `select revoked_at is not null as revoked from api_keys where id = any($1) order by id = $2`,
      [keys, keys[1]],
    );
    const { rows: told } = await f.world.owner.query(
      `select (details ->> 'api_keys_revoked')::int as count from audit_records where tenant_id = $1
       and event in ('member.removed', 'member.role_changed') order by at desc, id desc limit 1`,
      [f.acme],
    );
    expect([left[0].revoked, told[0].count]).toEqual(expected);
    expect(left[1].revoked).toBe(false);
  },
);
