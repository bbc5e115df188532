import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLogger } from '#libs/telemetry';
import { untilTrue } from '../worker-runtime.fixture.js';
import { ProcessDriver } from './process-driver.js';
import { PROJECT_ROOT } from './project-root.js';
import { librariesOf } from './sandbox/runtime-files.js';
import { SandboxDriver } from './sandbox/sandbox-driver.js';
import type { SandboxProgram } from './sandbox/sandbox-program.js';
import { sandboxHost } from './sandbox/sandbox.fixture.js';
import type { WorkerDriver } from './worker-driver.js';

/** A hundred find most mistakes; `WORKER_STARTS=1000` looks longer. */
const STARTS = Number(process.env['WORKER_STARTS'] ?? 100);
const AT_ONCE = 8;
const TIME_MS = 60_000 + STARTS * 500;
const LEAKY = path.join(PROJECT_ROOT, 'dist/apps/worker-runtime/src/isolation/leaky.fixture.js');
const logger = createLogger('test', 'silent');

let home: string;

beforeEach(() => {
  home = realpathSync(mkdtempSync(path.join(tmpdir(), 'wharf-starts-')));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Starts a worker, lets it start processes of its own, and ends it. */
async function startAndEnd(driver: WorkerDriver, how: 'stop' | 'kill'): Promise<void> {
  const worker = driver.start({ memoryMb: 128, bundles: true });
  await new Promise<void>((resolve) => {
    const onFrame = (): void => worker[how]();
    worker.assign({ tenantId: 'tenant' }, { onFrame, onExit: () => resolve() });
  });
}

async function startAll(driver: WorkerDriver): Promise<void> {
  let left = STARTS;
  const startInTurn = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await startAndEnd(driver, left % 20 === 0 ? 'stop' : 'kill');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, startInTurn));
}

/** The processes of this machine that something holds for. */
function processesWhere(holds: (folder: string) => boolean): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && holds(path.join('/proc', name));
    } catch {
      return false; // it has just ended
    }
  });
}

/** What this process holds open, and what is mounted where it looks. */
function heldHere(): { readonly descriptors: number; readonly mounts: number } {
  const mounts = readFileSync('/proc/self/mountinfo', 'latin1').split('\n').length;
  return { descriptors: readdirSync('/proc/self/fd').length, mounts };
}

/** Starts a few first, so that what is opened once and kept is not taken for what is left behind. */
async function startMany(driver: WorkerDriver): Promise<void> {
  for (const how of ['kill', 'stop'] as const) await startAndEnd(driver, how);
  const before = heldHere();
  await startAll(driver);
  await untilTrue(() => heldHere().descriptors <= before.descriptors);
  expect(heldHere().mounts).toBe(before.mounts);
}

test(
  'plain processes leave none of theirs behind, and no folder or descriptor, however many are started',
  async () => {
    const driver = await ProcessDriver.open({ logger, home: path.join(home, 'workers'), program: LEAKY });
    const ours = () => processesWhere((folder) => readlinkSync(path.join(folder, 'cwd')).startsWith(home));
    let most = 0;
    const counting = setInterval(() => (most = Math.max(most, ours().length)), 500);
    await startMany(driver);
    clearInterval(counting);
    await untilTrue(() => ours().length === 0 && readdirSync(path.join(home, 'workers')).length === 0);
    expect(most).toBeGreaterThan(0);
    await driver.close();
    expect(readdirSync(home)).toEqual([]);
  },
  TIME_MS,
);

const host = await sandboxHost();
const withSandbox = typeof host === 'string' ? test.skip : test;

withSandbox(
  'sandboxes leave none of theirs behind, and no folder, mount or descriptor, however many are started',
  async () => {
    const seconds = `8640${process.pid}`; // so that they can be told from the processes of others
    const program = await leakyProgram(seconds);
    if (typeof host === 'string') throw new Error(host);
    mkdirSync(path.join(home, 'workers'));
    const options = { logger, home: path.join(home, 'workers'), host, cgroups: undefined, program, scratchMb: 16 };
    const driver = await SandboxDriver.open(options);
    const ours = () =>
      processesWhere((folder) => readFileSync(path.join(folder, 'cmdline'), 'latin1').includes(seconds));
    let most = 0;
    const counting = setInterval(() => (most = Math.max(most, ours().length)), 500);
    await startMany(driver);
    clearInterval(counting);
    await untilTrue(() => ours().length === 0);
    expect(most).toBeGreaterThan(0);
    await driver.close();
    expect(readdirSync(home)).toEqual([]);
  },
  TIME_MS,
);

/** A shell that starts processes, one of them in a session of its own, and says that it is ready. */
async function leakyProgram(seconds: string): Promise<SandboxProgram> {
  const programs = ['/bin/sh', '/usr/bin/sleep', '/usr/bin/setsid'].map((file) => realpathSync(file));
  const [shell = '', sleep = '', setsid = ''] = programs;
  const libraries = (await Promise.all(programs.map(librariesOf))).flat();
  const ready = String.raw`\0\0\0\015\0\0\0\0{"t":"ready"}`;
  const script = `${sleep} ${seconds} & ${setsid} ${sleep} ${seconds} & printf '${ready}' >&3; wait`;
  return {
    files: [...new Set([...programs, ...libraries])].map((file) => ({ from: file, to: file })),
    command: () => [shell, '-c', script],
  };
}
