import { expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findInstalledPostgres, openDataFolder, startPostgres } from '#libs/embedded';
import { TEST_MASTER_KEY } from '#libs/testing';
import { migrate, MIGRATION_NAMES } from './migrate.js';
import { POSTGRES_MAJOR_MIN, tooOld } from './supported-postgres.js';

const oldest = findInstalledPostgres(POSTGRES_MAJOR_MIN);

(oldest === undefined ? test.skip : test)('the oldest PostgreSQL that is supported takes every migration', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-oldest-'));
  const server = await startPostgres(openDataFolder(folder), 'disposable', oldest);
  try {
    expect(await migrate(server.url, TEST_MASTER_KEY)).toEqual(MIGRATION_NAMES);
    expect(await migrate(server.url, TEST_MASTER_KEY)).toEqual([]);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each([
  [140_012, '14.12 (Debian 14.12-1)', /^PostgreSQL 14\.12 \(Debian 14\.12-1\) is too old: .* PostgreSQL 15 or newer/],
  [150_000, '15.0', undefined],
  [180_004, '18.4', undefined],
])('a server of version %i is told apart before anything is done to it', async (number, version, said) => {
  const answer = await tooOld(() => Promise.resolve([{ number, version }]));
  if (said === undefined) expect(answer).toBeUndefined();
  else expect(answer).toMatch(said);
});
