import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import type { TableDigest } from './copy/table-stream.js';
import { MoveTenant } from './move-tenant.js';
import { openTwoDatabases, OWN, type TwoDatabases } from './two-databases.fixture.js';

/** A tenant with a row in every table there is moves there and back, killed at every step of the way. */
let two: TwoDatabases;
let before: TableDigest[];
let othersBefore: TableDigest[];
let killedAt: string | undefined;
let moving: MoveTenant;

class Killed extends Error {}

beforeAll(async () => {
  two = await openTwoDatabases();
  const { common, dedicated } = two;
  moving = new MoveTenant({
    ...common,
    dedicated,
    onStep: (step) => {
      if (step === killedAt) throw new Killed(step);
    },
  });
  before = await two.contentOf(two.here, two.a);
  othersBefore = await two.contentOf(two.here, two.b);
});

afterAll(() => two?.close());

const signal = () => AbortSignal.timeout(120_000);

/** Whether a service may enter the tenant in either database: what `asTenant` asks first. */
async function open(): Promise<string[]> {
  const enters = async (name: string, client: TwoDatabases['here']) => {
    await client.query('begin');
    const entered = await client.query(`select app_enter_tenant($1)`, [two.a]).then(
      () => [name],
      (error: Error & { code?: string }) => (error.code === 'WH001' ? [] : Promise.reject(error)),
    );
    await client.query('rollback');
    return entered;
  };
  return [...(await enters('common', two.here)), ...(await enters(OWN, two.there))];
}

async function killAtEveryStep(moveId: string, steps: readonly string[], closed: readonly string[]): Promise<void> {
  for (const step of steps) {
    killedAt = step;
    await expect(moving.advance(moveId, signal())).rejects.toThrow(Killed);
    if (closed.includes(step)) expect([step, await open()]).toEqual([step, []]);
    expect((await open()).length).toBeLessThan(2);
  }
  killedAt = undefined;
  expect(await moving.advance(moveId, signal())).toBe('done');
}

/** Everything but what says that it was moved. */
const withoutLog = (tables: readonly TableDigest[]) => tables.filter(({ name }) => name !== 'audit_records');
const CLOSED = ['closed', 'outwaited', 'emptied', 'copied', 'compared'];
const STEPS = [...CLOSED, 'settled', 'switched', 'cleaned'];

test('a tenant that is moved is whole in its own database, whenever the move is cut off', async () => {
  expect(await open()).toEqual(['common']);
  await killAtEveryStep(await two.askMove(OWN, null), STEPS, CLOSED);
  expect(await open()).toEqual([OWN]);
  expect(withoutLog(await two.contentOf(two.there, two.a))).toEqual(withoutLog(before));
  expect((await two.contentOf(two.here, two.a)).map(({ name }) => name)).toEqual([]);
  expect(await two.contentOf(two.here, two.b)).toEqual(othersBefore);
  const { rows } = await two.there.query(`select details from audit_records where event = 'tenant.moved'`);
  expect(rows).toEqual([
    { details: { tier: 'dedicated', closed_seconds: expect.any(Number), reason: 'they pay for it' } },
  ]);
});

test('and the same again on the way back; nothing of it stays in the database that it had', async () => {
  await killAtEveryStep(await two.askMove(null, OWN), STEPS, [...CLOSED.slice(1), 'settled']);
  expect(await open()).toEqual(['common']);
  expect(withoutLog(await two.contentOf(two.here, two.a))).toEqual(withoutLog(before));
  expect(await two.contentOf(two.there, two.a)).toEqual([]);
  const { rows } = await two.there.query(`select (select count(*) from tenants)::int as tenants,
    (select count(*) from accounts)::int as accounts, (select count(*) from tenant_homes)::int as homes`);
  expect(rows).toEqual([{ tenants: 0, accounts: 0, homes: 0 }]);
  expect(await two.contentOf(two.here, two.b)).toEqual(othersBefore);
});

test('a copy that is not what it is a copy of sends the tenant back, and says in what they differ', async () => {
  const id = await two.askMove(OWN, null);
  killedAt = 'copied';
  await expect(moving.advance(id, signal())).rejects.toThrow(Killed);
  killedAt = 'compared';
  await expect(moving.advance(id, signal())).rejects.toThrow(Killed);
  await two.there.query(`update servers set name = 'another' where tenant_id = $1`, [two.a]);
  await two.here.query(`update tenant_moves set state = 'copied' where id = $1`, [id]);
  killedAt = 'reopened';
  await expect(moving.advance(id, signal())).rejects.toThrow(Killed);
  expect(await open()).toEqual(['common']);
  killedAt = undefined;
  expect(await moving.advance(id, signal())).toBe('failed');
  const { rows } = await two.here.query(`select state, failure from tenant_moves where id = $1`, [id]);
  expect(rows).toEqual([
    { state: 'failed', failure: 'What arrived is not what left: rows of servers have other values.' },
  ]);
  expect(await two.contentOf(two.there, two.a)).toEqual([]);
  expect(withoutLog(await two.contentOf(two.here, two.a))).toEqual(withoutLog(before));
});

test('a move from where the tenant is not fails, and the tenant stays open where it is', async () => {
  const id = await two.askMove(null, OWN);
  expect(await moving.advance(id, signal())).toBe('failed');
  const { rows } = await two.here.query(`select closed_at, failure from tenant_moves where id = $1`, [id]);
  expect(rows).toEqual([{ closed_at: null, failure: expect.stringContaining('no longer where it was') }]);
  expect(await open()).toEqual(['common']);
});

/** Brings a move to a state and no further. */
async function stopAt(step: string, id: string): Promise<void> {
  killedAt = step;
  await expect(moving.advance(id, signal())).rejects.toThrow(Killed);
  killedAt = undefined;
}

const abandon = (id: string) => two.here.query(`update tenant_moves set abandoned = 'not now' where id = $1`, [id]);
const ended = async (id: string) =>
  (await two.here.query(`select state, failure from tenant_moves where id = $1`, [id])).rows;
const TAKEN_BACK = [{ state: 'failed', failure: 'An operator took it back: not now' }];

test.each(['closed', 'emptied', 'copied', 'compared'])(
  'a move that an operator takes back once it is %s leaves the tenant where it was, and nothing where it was to go',
  async (step) => {
    const id = await two.askMove(OWN, null);
    await stopAt(step, id);
    await abandon(id);
    expect(await moving.advance(id, signal())).toBe('failed');
    expect(await ended(id)).toEqual(TAKEN_BACK);
    expect(await open()).toEqual(['common']);
    expect(await two.contentOf(two.there, two.a)).toEqual([]);
    expect(withoutLog(await two.contentOf(two.here, two.a))).toEqual(withoutLog(before));
  },
);

test('a move is given up while its copy was compared, and not once the target may be the tenant’s home', async () => {
  const given = await two.askMove(OWN, null);
  await stopAt('compared', given);
  await two.here.query(`update tenant_moves set state = 'compared' where id = $1`, [given]);
  await moving.giveUp(given, 'the target is away', signal());
  expect(await open()).toEqual(['common']);
  expect(await moving.advance(given, signal())).toBe('failed');
  const id = await two.askMove(OWN, null);
  await stopAt('settled', id);
  await abandon(id);
  await moving.giveUp(id, 'the target is away', signal());
  expect(await open()).toEqual([OWN]);
  expect(await moving.advance(id, signal())).toBe('done');
  expect(await open()).toEqual([OWN]);
});

test('and the same on the way back: until the tenant settles in the common database it can stay where it is', async () => {
  const id = await two.askMove(null, OWN);
  await stopAt('compared', id);
  await two.here.query(`update tenant_moves set state = 'compared' where id = $1`, [id]);
  await abandon(id);
  expect(await moving.advance(id, signal())).toBe('failed');
  expect(await ended(id)).toEqual(TAKEN_BACK);
  expect(await open()).toEqual([OWN]);
  expect((await two.contentOf(two.here, two.a)).map(({ name }) => name)).toEqual([]);
  expect(withoutLog(await two.contentOf(two.there, two.a))).toEqual(withoutLog(before));
});

test('rows are neither deleted nor copied where somebody who has lost the move is still at work', async () => {
  const lost = `pg_advisory_lock(hashtextextended('tenant-move-rows:' || $1, 0))`;
  const found = await two.contentOf(two.there, two.a);
  const id = await two.askMove(null, OWN);
  await two.here.query(`select ${lost}`, [two.a]);
  await expect(moving.advance(id, signal())).rejects.toThrow('another process still works on the rows');
  await two.here.query(`select ${lost.replace('_lock', '_unlock')}`, [two.a]);
  await two.there.query(`select ${lost}`, [two.a]);
  await expect(moving.advance(id, signal())).rejects.toThrow('another process still works on the rows');
  expect(await two.contentOf(two.there, two.a)).toEqual(found);
  await two.there.query(`select ${lost.replace('_lock', '_unlock')}`, [two.a]);
  expect(await moving.advance(id, signal())).toBe('done');
  expect(await two.contentOf(two.there, two.a)).toEqual([]);
});

test.each(['confirmed', 'unconfirmed'])(
  'nobody becomes a member of a returning tenant by a %s account with the address of one whom only it knows',
  async (kind) => {
    const [lost, another] = [newId(), newId()];
    const email = `${kind}@example.com`;
    const account = `insert into accounts (id, email, password_hash, email_verified_at) values ($1, $2, 'hash', $3)`;
    await two.here.query(account, [lost, email, new Date()]);
    await two.here.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'owner')`, [two.a, lost]);
    expect(await moving.advance(await two.askMove(OWN, null), signal())).toBe('done');
    await two.here.query(`delete from accounts where id = $1`, [lost]);
    await two.here.query(account, [another, email, kind === 'confirmed' ? new Date() : null]);
    const back = await two.askMove(null, OWN);
    expect(await moving.advance(back, signal())).toBe('done');
    expect(await open()).toEqual(['common']);
    const { rows: people } = await two.here.query(
      `select a.id, a.email, a.email_verified_at is null as unproved, a.home_tenant_id, m.role from accounts a
       left join members m on m.account_id = a.id where a.id = any($1) order by a.email = $2 desc`,
      [[lost, another], email],
    );
    expect(people).toEqual([
      { id: another, email, unproved: kind !== 'confirmed', home_tenant_id: null, role: null },
      { id: lost, email: `${lost}@lost.invalid`, unproved: true, home_tenant_id: null, role: 'owner' },
    ]);
    const { rows: said } = await two.here.query(`select details from audit_records where id = $1`, [back]);
    expect(said).toMatchObject([{ details: { tier: 'common', unaddressed: [lost] } }]);
  },
);

test('a tenant is not moved to where somebody whom nobody knows has the address of one of its people', async () => {
  const [person, ghost, neighbour] = [newId(), newId(), newId()];
  const account = `insert into accounts (id, email, password_hash) values ($1, 'ghost@example.com', 'hash')`;
  await two.there.query(account, [ghost]);
  await two.there.query(`insert into tenants (id, slug, name) values ($1, 'neighbour', 'N')`, [neighbour]);
  await two.there.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [
    neighbour,
    ghost,
  ]);
  await two.here.query(account, [person]);
  await two.here.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [two.a, person]);
  const id = await two.askMove(OWN, null);
  expect(await moving.advance(id, signal())).toBe('failed');
  expect((await ended(id))[0].failure).toMatch(/ghost@example\.com.*Move the tenants of that database back/);
  expect(await open()).toEqual(['common']);
});
