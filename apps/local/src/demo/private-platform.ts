import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { processEnvironment, type Environment } from '#libs/config';
import { freePort } from '#libs/embedded';

const ENTRY = fileURLToPath(new URL('../main.js', import.meta.url));
const START_MS = 60_000;

/** This process's environment without a platform's settings: a throw-away key must never meet somebody's real database. */
function ownEnvironment(): Environment {
  const settings = /^(?:WHARF_|DATABASE_URL$|REDIS_URL$)/;
  return Object.fromEntries(Object.entries(processEnvironment()).filter(([name]) => !settings.test(name)));
}

/** Starts a platform in a throw-away data folder and on a free port; it ends, with its data, when `stack` does. */
export async function startPrivatePlatform(
  stack: AsyncDisposableStack,
): Promise<{ publicUrl: string; operatorKey: string }> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'wharf-demo-'));
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const port = await freePort();
  const child = spawn(process.execPath, [ENTRY], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true,
    env: { ...ownEnvironment(), WHARF_DATA_DIR: dataDir, WHARF_PORT: String(port) },
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  stack.defer(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The private platform was not ready in time.')), START_MS);
    child.once('message', () => resolve());
    child.once('exit', () => reject(new Error('The private platform could not start.')));
    stack.defer(() => clearTimeout(timer));
  });
  const operatorKey = readFileSync(path.join(dataDir, 'operator.key'), 'utf8').trim();
  return { publicUrl: `http://localhost:${port}`, operatorKey };
}
