import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const RUNTIME = fileURLToPath(new URL('../../../../dist/apps/worker-runtime/src/main.js', import.meta.url));

const ASK_EVERY_MS = 25;
const ASKED_MAX = 800;

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => {
      connection.destroy();
      resolve(true);
    });
    connection.on('error', () => resolve(false));
  });
}

/** A worker-runtime process of one's own, listening. */
export async function startRuntime(intakeKey: string) {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-cp-'));
  const socket = path.join(folder, 'runtime.sock');
  const child = spawn(process.execPath, [RUNTIME], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      WHARF_RUNTIME_SOCKETS: socket,
      WHARF_INTAKE_KEY: intakeKey,
      WHARF_LOG_LEVEL: 'error',
      WHARF_WARM_WORKERS: '1',
    },
  });
  for (let asked = 0; !(await accepts(socket)); asked += 1) {
    if (asked === ASKED_MAX || child.exitCode !== null) throw new Error('The worker-runtime did not start.');
    await pause(ASK_EVERY_MS);
  }
  return {
    socket,
    async stop(): Promise<void> {
      if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
