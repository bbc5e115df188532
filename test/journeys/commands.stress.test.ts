import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { freePort } from '#libs/embedded';
import { testDatabase, TEST_MASTER_KEY } from '#libs/testing';

function run(command: string, environment: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/wharf.mjs', command], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
  });
  return { status, output: stdout + stderr };
}

test('an unknown command is named, and help is no failure', () => {
  expect(run('strat', {})).toMatchObject({ status: 1, output: expect.stringContaining('no command "strat"') });
  expect(run('--help', {})).toMatchObject({ status: 0, output: expect.stringMatching(/^npm start/) });
});

test('npm run migrate needs no data folder when it is given the database and the master key', async () => {
  const { databaseUrl } = await testDatabase();
  const environment = { DATABASE_URL: databaseUrl, WHARF_MASTER_KEY: TEST_MASTER_KEY.reveal() };
  const result = run('migrate', { ...environment, WHARF_DATA_DIR: '/proc/version/wharf' });
  expect(result).toEqual({ status: 0, output: 'The schema is up to date.\n' });
});

test('npm run demo starts a platform of its own that leaves the configured database alone', async () => {
  const nobody = `127.0.0.1:${await freePort()}`;
  const result = run('demo', {
    DATABASE_URL: `postgres://wharf:wharf@${nobody}/wharf`,
    REDIS_URL: `redis://${nobody}`,
    WHARF_PORT: String(await freePort()),
  });
  expect(result.output).toMatch(/starting a private one[\s\S]*steps came out as promised/);
  expect(result.status).toBe(0);
});
