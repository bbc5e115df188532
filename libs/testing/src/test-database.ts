import type { Secret } from '#libs/config';
import { newId } from '#libs/database';
import { Client } from 'pg';
import { TEMPLATE, TEST_MASTER_KEY, testEnvironment } from './environment.js';

/** A database of one's own with the platform's schema. */
export interface TestDatabase {
  /** As the owner of the schema; services connect as their roles. */
  readonly databaseUrl: string;
  readonly masterKey: Secret;
  drop(): Promise<void>;
}

async function asOwner(work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: testEnvironment().databaseUrl });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** A fresh copy of the migrated template. */
export function testDatabase(): Promise<TestDatabase> {
  return newDatabase(TEMPLATE);
}

/** A database that nobody has migrated. */
export function emptyDatabase(): Promise<TestDatabase> {
  return newDatabase('template1');
}

async function newDatabase(template: string): Promise<TestDatabase> {
  const name = `test_${newId().replaceAll('-', '')}`;
  await asOwner((client) => client.query(`create database ${name} template ${template}`));
  const url = new URL(testEnvironment().databaseUrl);
  url.pathname = `/${name}`;
  return {
    databaseUrl: url.toString(),
    masterKey: TEST_MASTER_KEY,
    drop: () => asOwner((client) => client.query(`drop database if exists ${name} with (force)`)),
  };
}
