// Builds, then starts PostgreSQL with the migrated template and Redis for the whole run.
import path from 'node:path';
import { build } from '../scripts/build.mjs';

export default async function setup() {
  await build();
  const { startTestServers } = await import('../dist/libs/testing/src/index.js');
  const { migrate } = await import('../dist/migrations/index.js');
  const servers = await startTestServers(path.resolve('.cache'), migrate);
  Object.assign(process.env, servers.environment);
  globalThis.wharfTestServers = servers;
}
