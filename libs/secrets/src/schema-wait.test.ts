import { expect, test } from '@jest/globals';
import { Client } from 'pg';
import { testDatabase } from '#libs/testing';
import { waitForSchema } from './schema-wait.js';

const wait = waitForSchema({ role: 'wharf_gateway', configOf: () => Promise.reject(new Error('read')) });
const neverWaits = (): Promise<void> => Promise.reject(new Error('waited'));

test.each(['-1', '1.5', 'soon', ' ', '3601'])('nobody waits WHARF_SCHEMA_WAIT_SECONDS=%j', async (text) => {
  await expect(wait({ WHARF_SCHEMA_WAIT_SECONDS: text }, neverWaits)).rejects.toThrow(
    'WHARF_SCHEMA_WAIT_SECONDS is wrong: write whole seconds, 0 to 3600.',
  );
});

test('a configuration that cannot be used is not waited for', async () => {
  await expect(wait({ WHARF_SCHEMA_WAIT_SECONDS: '600' }, neverWaits)).rejects.toThrow('read');
  await expect(wait({}, neverWaits)).resolves.toBeUndefined();
});

test('a master key that is not in use yet is waited for, though the schema is there', async () => {
  const store = await testDatabase();
  const owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  try {
    await owner.query(`update master_keys set left_at = now()`);
    const configOf = async () => ({ DATABASE_URL: store.databaseUrl, WHARF_MASTER_KEY: store.masterKey });
    const heard: string[] = [];
    await waitForSchema({ role: 'wharf_gateway', configOf })({ WHARF_SCHEMA_WAIT_SECONDS: '600' }, async (what) => {
      heard.push(what);
      await owner.query(`update master_keys set left_at = null`);
    });
    expect(heard).toEqual([expect.stringMatching(/waits for its schema, 600 s at most\. The first key .* not in use/)]);
  } finally {
    await owner.end();
    await store.drop();
  }
});
