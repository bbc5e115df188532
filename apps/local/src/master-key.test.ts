import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { revealRing } from '#libs/config';
import { openDataFolder, type DataFolder } from '#libs/embedded';
import { masterKeyId } from '#libs/secrets';
import { emptyDatabase, testDatabase } from '#libs/testing';
import { Client } from 'pg';
import { provideMasterKey } from './master-key.js';

const ANOTHER = Buffer.alloc(32, 42).toString('base64');
let data: DataFolder;
let file: string;

beforeEach(() => {
  data = openDataFolder(mkdtempSync(path.join(tmpdir(), 'wharf-master-key-')));
  file = path.join(data.root, 'keys', 'master.key');
});

afterEach(() => {
  data.release();
  rmSync(data.root, { recursive: true });
});

test('a database that was never set up gets a key, which the next start finds', async () => {
  const { databaseUrl, drop } = await emptyDatabase();
  const made = await provideMasterKey(data, databaseUrl);
  expect(readFileSync(file, 'utf8')).toBe(`${made.reveal()}\n`);
  expect((await provideMasterKey(data, databaseUrl)).reveal()).toBe(made.reveal());
  await drop();
});

test('where the file of a database that was set up is missing, it is named and none is made', async () => {
  const { databaseUrl, masterKey, drop } = await testDatabase();
  const refused = provideMasterKey(data, databaseUrl);
  await expect(refused).rejects.toThrow(
    `${file} is missing. The database was set up with master key ${masterKeyId(masterKey)},`,
  );
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, masterKey.reveal());
  expect(revealRing(await provideMasterKey(data, databaseUrl))).toBe(masterKey.reveal());
  await drop();
});

test('another installation’s key in the file is refused by the file’s name, and stays as it is', async () => {
  const { databaseUrl, masterKey, drop } = await testDatabase();
  data.folder('keys');
  writeFileSync(file, ANOTHER);
  await expect(provideMasterKey(data, databaseUrl)).rejects.toThrow(`${file} holds master key`);
  expect(readFileSync(file, 'utf8')).toBe(ANOTHER);
  // While it is replaced, either may seal.
  writeFileSync(file, `${ANOTHER},${masterKey.reveal()}`);
  expect(revealRing(await provideMasterKey(data, databaseUrl))).toBe(`${ANOTHER},${masterKey.reveal()}`);
  await drop();
});

test('a database of before master keys could be replaced is one that was set up', async () => {
  const { databaseUrl, drop } = await emptyDatabase();
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  await owner.query(`create table installation (master_key_id text not null); insert into installation values ('abc')`);
  await owner.end();
  await expect(provideMasterKey(data, databaseUrl)).rejects.toThrow(/is missing\. .* with master key abc,/);
  expect(existsSync(file)).toBe(false);
  await drop();
});
