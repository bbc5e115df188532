import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, listenForChanges } from '#libs/database';
import { testDatabase, until, wayTo, type TestDatabase, type Way } from '#libs/testing';
import { Client } from 'pg';

let store: TestDatabase;
let way: Way;

beforeAll(async () => {
  store = await testDatabase();
  way = await wayTo(store.databaseUrl);
});

afterAll(async () => {
  await way.stop();
  await store.drop();
});

test('a query on a connection whose far end is gone is given up, and the next one has a connection of its own', async () => {
  const options = {
    ...store,
    databaseUrl: way.url,
    role: 'wharf_gateway',
    poolSize: 1,
    statementTimeoutMs: 500,
  } as const;
  const database = await Database.connect(options);
  const ask = () => database.asService((tx) => tx.query('select 1 as one'));
  expect(await ask()).toEqual([{ one: 1 }]);
  way.loseFarEnds();
  await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
  expect(await ask()).toEqual([{ one: 1 }]);
  await database.close();
});

test('a first connection that nobody answers is given up, and another one is made', async () => {
  way.silenceNext();
  const database = await Database.connect({ ...store, databaseUrl: way.url, role: 'wharf_gateway' });
  expect(await database.asService((tx) => tx.query('select 1 as one'))).toEqual([{ one: 1 }]);
  way.silenceNext();
  const listener = await database.listen('wharf_changes', () => undefined);
  expect(listener.connected).toBe(true);
  await Promise.all([database.close(), listener.close()]);
}, 30_000);

test('a listener whose connection has lost its far end connects again, and says that everything may have changed', async () => {
  const heard: string[] = [];
  const onChange = (tenantId: string): void => void heard.push(tenantId);
  const listener = await listenForChanges({ ...store, databaseUrl: way.url, role: 'wharf_gateway', onChange });
  way.loseFarEnds();
  await until(() => heard.length > 1, 'a second connection');
  const owner = new Client(store.databaseUrl);
  await owner.connect();
  await owner.query(`notify wharf_changes, 'a tenant'`);
  await until(() => heard.includes('a tenant'), 'a change on it');
  await Promise.all([owner.end(), listener.close()]);
});
