import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { DataFolder } from './data-folder.js';
import { EmbeddedError } from './embedded-error.js';
import { freePort } from './free-port.js';
import type { Durability, EmbeddedServer } from './postgres.js';
import { commandHolds, gone, workingFolderOf } from './process-table.js';
import { provideRedisBinary } from './redis-binary.js';
import { ServerProcess } from './server-process.js';

const READY = /eady to accept connections/;
const START_MS = 20_000;

/** A word of Redis's configuration file; paths may hold spaces and quotes. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, String.raw`\$&`)}"`;
}

function configuration(
  data: DataFolder,
  folder: string,
  port: number,
  password: string,
  durability: Durability,
): string {
  // No snapshots: one that cannot be written (a full disk, a folder that is gone) makes Redis refuse to end.
  const disk = durability === 'durable' ? ['appendonly yes', 'appendfsync everysec'] : ['appendonly no'];
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${quoted(folder)}`,
    `pidfile ${quoted(path.join(data.root, 'redis.pid'))}`,
    'daemonize no',
    'databases 1024',
    'maxmemory-policy noeviction',
    'save ""',
    ...disk,
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * Starts the private Redis of a data folder. `cacheFolder` keeps the fetched program between data folders.
 * @throws EmbeddedError when there is no Redis or it does not come up
 */
export async function startRedis(
  data: DataFolder,
  cacheFolder: string,
  durability: Durability,
): Promise<EmbeddedServer> {
  const binary = await provideRedisBinary(cacheFolder);
  const folder = data.folder('redis');
  await endOrphan(data, folder);
  const port = await freePort();
  const password = randomBytes(24).toString('base64url');
  const file = path.join(folder, 'redis.conf');
  writeFileSync(file, configuration(data, folder, port, password, durability), { mode: 0o600 });
  const libraries = binary.libraries.join(':');
  const command =
    libraries === '' ? [binary.program, file] : ['/usr/bin/env', `LD_LIBRARY_PATH=${libraries}`, binary.program, file];
  const [program = binary.program, ...args] = command;
  const server = ServerProcess.start({ command: program, args, logFile: path.join(data.folder('logs'), 'redis.log') });
  if (!(await server.says(READY, START_MS))) {
    await server.stop('SIGTERM', 2_000);
    throw new EmbeddedError(`The embedded Redis did not start:\n${server.tail()}`);
  }
  return { url: `redis://:${password}@127.0.0.1:${port}/0`, stop: () => server.stop('SIGTERM', 10_000) };
}

/** Ends the server that an earlier process left behind when it was killed together with its guard. */
async function endOrphan(data: DataFolder, folder: string): Promise<void> {
  const file = path.join(data.root, 'redis.pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : Number.NaN;
  // Redis shows address and port as its title; its working folder tells whose it is. A reused id is not ours to end.
  if (!Number.isInteger(pid) || pid <= 1 || !(commandHolds(pid, 'redis-server') || commandHolds(pid, 'valkey-server')))
    return;
  const serves = workingFolderOf(pid);
  if (serves !== undefined && serves !== realpathSync(folder)) return;
  process.kill(pid, 'SIGTERM');
  if (!(await gone(pid, 5_000))) process.kill(pid, 'SIGKILL');
  if (!(await gone(pid, 5_000)))
    throw new EmbeddedError(
      `Redis of an earlier start (process ${pid}, ${folder}) does not end; stop it and start again.`,
    );
}
