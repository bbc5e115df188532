import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Database, urlForRole } from '#libs/database';
import { openWithMaster } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { AuthWorld, locationOf, loginFields, WEB_CLIENT, type TestClient } from '../../testing/auth-world.fixture.js';
import { allowDevice } from '../../testing/device.fixture.js';
import { hashId } from './artifact-store.js';
import { READS_BOUND, RowSeals } from './row-seals.js';
import { SessionStore } from '../models/session-store.js';

const EMAIL = 'ana@acme.test';
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

let world: AuthWorld;
let mcp: string;
let client: TestClient;
let device: TestClient;

beforeAll(async () => {
  world = await AuthWorld.open();
  const acme = await world.addTenant('acme', 'Acme');
  await world.addPerson(EMAIL, { [acme]: 'user' });
  mcp = `${world.url}/t/acme/mcp`;
  client = await world.register(WEB_CLIENT);
  device = await world.register({
    grant_types: [DEVICE_GRANT, 'refresh_token'],
    redirect_uris: [],
    response_types: [],
  });
});
afterAll(async () => world.close());

/** Everything that every table holds now, and all of it that the master key opens. */
async function everythingKept(): Promise<string> {
  const { rows: tables } = await world.owner.query<{ name: string }>(
    `select quote_ident(relname) as name from pg_class where relkind in ('r', 'p') and not relispartition
       and relnamespace = 'public'::regnamespace`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await world.owner.query<{ text: string }>(`select row_to_json(t)::text as text from ${name} t`);
    texts.push(...rows.map(({ text }) => text));
  }
  return [...texts, ...(await opened())].join('\n');
}

/** What the master key alone opens of the provider's rows. */
async function opened(): Promise<string[]> {
  const { rows } = await world.owner.query<{ model: string; id_hash: string; sealed: string }>(
    `select model, id_hash, s.sealed from oauth_artifacts, lateral (values (payload ->> 'sealed'), (payload ->> 'successor')) s (sealed)
     where s.sealed is not null`,
  );
  return rows.flatMap(({ model, id_hash: hash, sealed }) => {
    const purpose = `oauth-artifacts:${model}:${hash}`;
    try {
      const bytes = Buffer.from(sealed.replace(/^\d+\./, ''), 'base64');
      return [`${model} ${openWithMaster(world.store.masterKey, purpose, bytes).toString()}`];
    } catch {
      return [];
    }
  });
}

/** Whether a text holds a value, as it is or as a database would show its bytes. */
function holds(text: string, value: string): boolean {
  const bytes = Buffer.from(value);
  return [value, bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '')].some((form) =>
    text.includes(form),
  );
}

async function startDevice(): Promise<Record<'device_code' | 'user_code', string>> {
  const { body } = await world.form('/auth/device/auth', {
    client_id: device.client_id,
    scope: 'mcp:read',
    resource: mcp,
  });
  return { device_code: String(body['device_code']), user_code: String(body['user_code']) };
}

const pollDevice = (code: string) =>
  world.token(device, { grant_type: DEVICE_GRANT, device_code: code, resource: mcp });

/** How the rows of a model are sealed. */
async function kindsOf(model: string): Promise<string[]> {
  const { rows } = await world.owner.query<{ kind: string }>(
    `select distinct case when payload ->> 'sealed' like '2.%' then 'bound' else 'master' end as kind
     from oauth_artifacts where model = $1 order by 1`,
    [model],
  );
  return rows.map(({ kind }) => kind);
}

describe('what was presented, or can be', () => {
  test('is in no table, also for who has the master key', async () => {
    const presented = new Map<string, string>();
    const kept: string[] = [];
    const look = async (): Promise<void> => void kept.push(await everythingKept());

    const codes = await startDevice();
    presented.set('device code', codes.device_code).set('user code', codes.user_code.replace('-', ''));
    const pushed = await world.form('/auth/par', {
      client_id: client.client_id,
      ...Object.fromEntries(new URL(world.authorizeUrl(client, mcp)).searchParams),
    });
    presented.set('request_uri', String(pushed.body['request_uri']).split(':').at(-1) ?? '');
    expect([pushed.status, presented.get('request_uri')?.length]).toEqual([201, expect.any(Number)]);
    await look();

    const browser = world.browser();
    let page = await browser.open(world.authorizeUrl(client, mcp));
    page = await browser.submit(page, loginFields(EMAIL));
    await look();
    browser.cookieValues.forEach((value, at) => presented.set(`cookie ${at} before consent`, value));
    const code = locationOf(await browser.submit(page, { action: 'allow' })).searchParams.get('code') ?? '';
    browser.cookieValues.forEach((value, at) => presented.set(`cookie ${at}`, value));
    presented.set('code', code);
    await look();

    const first = (await world.redeem(client, code, mcp)).body;
    await look();
    const second = (await world.refresh(client, first['refresh_token'], mcp)).body;
    const third = (await world.refresh(client, second['refresh_token'], mcp)).body;
    for (const [name, body] of Object.entries({ first, second, third })) {
      presented.set(`${name} refresh token`, String(body['refresh_token']));
      presented.set(`${name} access token`, String(body['access_token']));
    }
    await allowDevice(world, codes.user_code, EMAIL);
    await look();
    presented.set('refresh token of a device', String((await pollDevice(codes.device_code)).body['refresh_token']));
    await look();

    // What is looked through is what was written: hashes of all that is found by its hash, and what still opens.
    const all = kept.join('\n');
    for (const name of ['code', 'first refresh token', 'third refresh token', 'device code', 'request_uri']) {
      expect(all).toContain(hashId(presented.get(name) ?? ''));
    }
    expect(all).toMatch(/^Session \{/m);
    expect(all).toMatch(/^DeviceCode \{/m);
    expect([...presented.values()].filter((value) => value.length < 8)).toEqual([]);
    expect([...presented].filter(([, value]) => holds(all, value)).map(([name]) => name)).toEqual([]);
    for (const model of ['AuthorizationCode', 'RefreshToken', 'PushedAuthorizationRequest', 'EndedInteraction']) {
      expect([model, await kindsOf(model)]).toEqual([model, ['bound']]);
    }
  });

  test('a session that is found by its uid has a handle, which ends it and is taken from no cookie', async () => {
    const { databaseUrl, masterKey } = world.store;
    const database = await Database.connect({ databaseUrl, masterKey, role: 'wharf_auth', poolSize: 1 });
    const seals = await RowSeals.open({ database, masterKey, logger: createLogger('test', 'silent') });
    const sessions = new SessionStore('Session', database, seals);
    await sessions.upsert('the-cookie', { jti: 'the-cookie', uid: 'the-uid', kind: 'Session' }, 60);
    const handle = (await sessions.findByUid('the-uid'))?.jti ?? '';
    expect([handle, await sessions.find(handle)]).toEqual([expect.stringMatching(/^row:/), undefined]);
    expect(await sessions.find('the-cookie')).toEqual({ jti: 'the-cookie', uid: 'the-uid', kind: 'Session' });
    await sessions.destroy(handle);
    expect(await sessions.find('the-cookie')).toBeUndefined();
    await database.close();
  });

  test('a row’s own name is not taken for a device’s code', async () => {
    const codes = await startDevice();
    await allowDevice(world, codes.user_code, EMAIL);
    expect((await pollDevice(`row:${hashId(codes.device_code)}`)).body['error']).toBe('invalid_grant');
    expect((await pollDevice(codes.device_code)).status).toBe(200);
  });
});

describe('beside an auth-server of the release before', () => {
  test('rows are ones that it reads, and go on when none has been there for an hour: nobody is signed out', async () => {
    await seen('now()');
    await world.restart();
    const browser = world.browser();
    const given = (await world.authorize(client, mcp, EMAIL, browser)).searchParams.get('code');
    const first = (await world.redeem(client, given, mcp)).body['refresh_token'];
    const lost = (await world.refresh(client, first, mcp)).body['refresh_token'];
    const other = (await world.signedIn(client, mcp, EMAIL)).body['refresh_token'];
    const codes = await startDevice();
    expect(await kindsOf('RefreshToken')).toEqual(['bound', 'master']);
    expect(holds(await everythingKept(), String(other))).toBe(true);

    await seen(AN_HOUR_AGO);
    await world.owner.query(
      `update oauth_artifacts set consumed_at = consumed_at - interval '1 minute' where model = 'RefreshToken'`,
    );
    await world.restart();
    expect(locationOf(await browser.open(world.authorizeUrl(client, mcp))).searchParams.get('code')).not.toBeNull();
    await allowDevice(world, codes.user_code, EMAIL);
    expect((await pollDevice(codes.device_code)).status).toBe(200);
    // The answer was lost before: the same token again, and then the one that came of it ends everything.
    const again = (await world.refresh(client, first, mcp)).body['refresh_token'];
    expect((await world.refresh(client, lost, mcp)).body['error']).toBe('invalid_grant');
    expect((await world.refresh(client, again, mcp)).body['error']).toBe('invalid_grant');
    const next = await world.refresh(client, other, mcp);
    const repeated = await world.refresh(client, other, mcp);
    expect(repeated.body['refresh_token']).toBe(next.body['refresh_token']);
    expect(holds(await everythingKept(), String(next.body['refresh_token']))).toBe(false);
    expect((await world.refresh(client, next.body['refresh_token'], mcp)).status).toBe(200);
  });

  test('as long as it is connected, or nobody has looked, nothing settles and its hour begins anew', async () => {
    const { databaseUrl, masterKey } = world.store;
    const options = { databaseUrl, masterKey, role: 'wharf_auth', poolSize: 1, applicationName: READS_BOUND } as const;
    const database = await Database.connect(options);
    await seen(AN_HOUR_AGO);
    const older = await connectOlder();
    const seals = await RowSeals.open({ database, masterKey, logger: createLogger('test', 'silent') });
    const binds = async (): Promise<boolean> => seals.look().then(() => seals.binds);
    await older.end();
    await untilGone();
    expect([seals.binds, await binds()]).toEqual([false, false]);
    await seen(AN_HOUR_AGO, `now() - interval '2 minutes'`);
    expect([await binds(), await binds()]).toEqual([false, false]);
    await seen(AN_HOUR_AGO);
    expect(await binds()).toBe(true);
    await Promise.all([seals.stop(), database.close()]);
  });
});

const AN_HOUR_AGO = `now() - interval '61 minutes'`;

/** When an older auth-server was last seen, and when a new one looked. */
async function seen(older: string, looked = 'now()'): Promise<void> {
  await world.owner.query(
    `update oauth_sealing set settled_at = null, older_seen_at = ${older}, looked_at = ${looked}`,
  );
}

/** The connection of an auth-server as the release before names it. */
async function connectOlder(): Promise<Client> {
  const { databaseUrl, masterKey } = world.store;
  const connectionString = urlForRole(databaseUrl, 'wharf_auth', masterKey);
  const older = new Client({ connectionString, application_name: 'wharf_auth' });
  await older.connect();
  return older;
}

/** PostgreSQL forgets a connection a moment after its end. */
async function untilGone(): Promise<void> {
  const left = async () =>
    (
      await world.owner.query(
        `select from pg_stat_activity where datname = current_database() and application_name = 'wharf_auth'`,
      )
    ).rowCount;
  for (const until = Date.now() + 15_000; Date.now() < until && (await left()) !== 0;) await pause(20);
}
