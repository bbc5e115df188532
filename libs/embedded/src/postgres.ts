import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { DataFolder } from './data-folder.js';
import { EmbeddedError } from './embedded-error.js';
import { freePort } from './free-port.js';
import { providePostgresBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { commandHolds, gone } from './process-table.js';
import { ServerProcess } from './server-process.js';
import { isRoot, UNPRIVILEGED_USER, unprivileged } from './unprivileged.js';

/** A server that runs for this process. */
export interface EmbeddedServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** `disposable` data need not survive the machine's crash: tests and nothing else. */
export type Durability = 'durable' | 'disposable';

const OWNER = 'wharf';
/** A standby, and one that still recovers, can be read. */
const READY = /database system is ready to accept (?:read-only )?connections/;
const START_MS = 60_000;

/** Small and quick: this server has one machine's services as clients. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '64MB',
  jit: 'off',
  log_min_messages: 'log',
  password_encryption: 'scram-sha-256',
} as const;
const DISPOSABLE_SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '500',
} as const;

/**
 * Starts the private PostgreSQL of a data folder, making its cluster at the first start: of the npm package, unless it is
 * given other programs.
 * @throws EmbeddedError when it does not come up
 */
export async function startPostgres(
  data: DataFolder,
  durability: Durability,
  binaries: PostgresBinaries = providePostgresBinaries(),
): Promise<EmbeddedServer> {
  const cluster = path.join(data.root, 'postgres');
  const passwordFile = path.join(data.folder('keys'), 'postgres.key');
  if (!existsSync(passwordFile)) writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  const password = readFileSync(passwordFile, 'utf8').trim();
  await endOrphan(cluster);
  await provideCluster(data, binaries, cluster, password);
  const port = await freePort();
  const settings = { ...SETTINGS, ...(durability === 'disposable' ? DISPOSABLE_SETTINGS : {}), port: String(port) };
  const args = ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const server = ServerProcess.start({
    ...unprivileged(binaries.postgres, args, [data.root, binaries.root]),
    logFile: path.join(data.folder('logs'), 'postgres.log'),
  });
  if (!(await server.says(READY, START_MS))) {
    await server.stop('SIGINT', 5_000);
    throw new EmbeddedError(`The embedded PostgreSQL did not start:\n${server.tail()}`);
  }
  return {
    url: `postgres://${OWNER}:${password}@127.0.0.1:${port}/postgres`,
    // SIGINT is PostgreSQL's fast shutdown: sessions end, everything is flushed.
    stop: () => server.stop('SIGINT', 20_000),
  };
}

/** Makes the cluster in one step: a half-made one is under another name and is thrown away. */
async function provideCluster(
  data: DataFolder,
  binaries: PostgresBinaries,
  cluster: string,
  password: string,
): Promise<void> {
  if (existsSync(path.join(cluster, 'PG_VERSION'))) return;
  rmSync(cluster, { recursive: true, force: true });
  mkdirSync(cluster, { mode: 0o700 });
  const passwordFile = path.join(data.root, 'postgres.initial');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (isRoot()) for (const own of [cluster, passwordFile]) chownSync(own, UNPRIVILEGED_USER.uid, UNPRIVILEGED_USER.gid);
  const args = ['-D', cluster, '-U', OWNER, '--pwfile', passwordFile, '--auth=scram-sha-256', '-E', 'UTF8'];
  const initdb = ServerProcess.start({
    ...unprivileged(
      binaries.initdb,
      [...args, '--locale=C', '--no-sync', '--no-instructions'],
      [data.root, binaries.root],
    ),
    logFile: path.join(data.folder('logs'), 'initdb.log'),
  });
  await initdb.exited;
  rmSync(passwordFile, { force: true });
  if (!existsSync(path.join(cluster, 'global', 'pg_control'))) {
    rmSync(cluster, { recursive: true, force: true });
    throw new EmbeddedError(`The embedded PostgreSQL could not make its data folder:\n${initdb.tail()}`);
  }
}

/** Ends the server that an earlier process left behind when it was killed together with its guard. */
async function endOrphan(cluster: string): Promise<void> {
  const file = path.join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !commandHolds(pid, cluster)) {
    rmSync(file, { force: true });
    return;
  }
  process.kill(pid, 'SIGINT');
  if (await gone(pid, 10_000)) return;
  process.kill(pid, 'SIGQUIT');
  if (!(await gone(pid, 5_000)))
    throw new EmbeddedError(`PostgreSQL of an earlier start (process ${pid}) does not end; stop it and start again.`);
}
