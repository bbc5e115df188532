import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  bubblewrapEnvironment,
  findBubblewrap,
  findInstalledPostgres,
  openDataFolder,
  startPostgres,
  startRedis,
} from '#libs/embedded';
import { Client } from 'pg';
import { TEMPLATE, TEST_MASTER_KEY } from './environment.js';
import { startRedisCluster } from './redis-cluster.js';

/** PostgreSQL with the migrated template, and Redis, for one test run. */
export interface TestServers {
  /** What the test processes need in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

async function provideTemplate(databaseUrl: string, migrate: Migrate): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`create database ${TEMPLATE}`);
  const url = new URL(databaseUrl);
  url.pathname = `/${TEMPLATE}`;
  await migrate(url.toString(), TEST_MASTER_KEY);
  await client.query(`alter database ${TEMPLATE} with is_template true allow_connections false`);
  await client.end();
}

/** The PostgreSQL of this major version that this machine has; the npm package's where none is asked for. */
function installedPostgres(major: string | undefined) {
  if (major === undefined) return undefined;
  const found = findInstalledPostgres(Number(major));
  if (found === undefined) throw new Error(`WHARF_TEST_POSTGRES=${major}: install postgresql-${major} first.`);
  return found;
}

type Migrate = (databaseUrl: string, masterKey: typeof TEST_MASTER_KEY) => Promise<unknown>;

/** Starts the servers of a test run in a throw-away folder. `cacheFolder` keeps fetched programs between runs. */
export async function startTestServers(cacheFolder: string, migrate: Migrate): Promise<TestServers> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-test-'));
  const data = openDataFolder(folder);
  const [postgres, redis, bubblewrap] = await Promise.all([
    startPostgres(data, 'disposable', installedPostgres(process.env['WHARF_TEST_POSTGRES'])),
    process.env['WHARF_TEST_REDIS'] === 'cluster' ? startRedisCluster() : startRedis(data, cacheFolder, 'disposable'),
    findBubblewrap(cacheFolder),
  ]);
  await provideTemplate(postgres.url, migrate);
  return {
    environment: {
      WHARF_TEST_DATABASE_URL: postgres.url,
      WHARF_TEST_REDIS_URL: redis.url,
      ...bubblewrapEnvironment(bubblewrap),
    },
    async stop() {
      await Promise.all([postgres.stop(), redis.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
