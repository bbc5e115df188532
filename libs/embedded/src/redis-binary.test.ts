import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { provideRedisBinary } from './redis-binary.js';

test('says what to install or set when there is no Redis and no package to fetch', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-redis-'));
  const searched = process.env['PATH'];
  try {
    // Neither a server nor apt-get on the PATH: what a machine looks like that has neither.
    process.env['PATH'] = folder;
    await expect(provideRedisBinary(folder)).rejects.toThrow(/install Redis or Valkey .*or set REDIS_URL/);
  } finally {
    process.env['PATH'] = searched;
    rmSync(folder, { recursive: true, force: true });
  }
});
