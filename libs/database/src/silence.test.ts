import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, listenForChanges } from '#libs/database';
import { testDatabase, until, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';

/** A way to PostgreSQL on which connections can lose their far end without being told. */
let store: TestDatabase;
let way: Server;
const open = new Set<{ near: Socket; far: Socket }>();
let databaseUrl: string;

beforeAll(async () => {
  store = await testDatabase();
  const { hostname, port } = new URL(store.databaseUrl);
  way = createServer((near) => {
    const pair = { near, far: connect(Number(port), hostname) };
    open.add(pair);
    near.on('data', (chunk) => void (pair.far.destroyed || pair.far.write(chunk))).on('error', () => undefined);
    pair.far.on('data', (chunk) => near.write(chunk)).on('error', () => undefined);
    near.on('close', () => {
      open.delete(pair);
      pair.far.destroy();
    });
  });
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
  const url = new URL(store.databaseUrl);
  url.port = String((way.address() as AddressInfo).port); // a TCP server's address
  databaseUrl = url.toString();
});

afterAll(async () => {
  for (const { near, far } of open) for (const end of [near, far]) end.destroy();
  await new Promise<void>((resolve) => void way.close(() => resolve()));
  await store.drop();
});

function loseFarEnds(): void {
  for (const { far } of open) far.destroy();
}

test('a query on a connection whose far end is gone is given up, and the next one has a connection of its own', async () => {
  const options = { ...store, databaseUrl, role: 'wharf_gateway', poolSize: 1, statementTimeoutMs: 500 } as const;
  const database = await Database.connect(options);
  const ask = () => database.asService((tx) => tx.query('select 1 as one'));
  expect(await ask()).toEqual([{ one: 1 }]);
  loseFarEnds();
  await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
  expect(await ask()).toEqual([{ one: 1 }]);
  await database.close();
});

test('a listener whose connection has lost its far end connects again, and says that everything may have changed', async () => {
  const heard: string[] = [];
  const onChange = (tenantId: string): void => void heard.push(tenantId);
  const listener = await listenForChanges({ ...store, databaseUrl, role: 'wharf_gateway', onChange });
  loseFarEnds();
  await until(() => heard.length > 1, 'a second connection');
  const owner = new Client(store.databaseUrl);
  await owner.connect();
  await owner.query(`notify wharf_changes, 'a tenant'`);
  await until(() => heard.includes('a tenant'), 'a change on it');
  await Promise.all([owner.end(), listener.close()]);
});
