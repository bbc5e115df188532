import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { endOf, until } from '#libs/testing';

const RUNTIME = fileURLToPath(new URL('../../../../dist/apps/worker-runtime/src/main.js', import.meta.url));

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
  await until(() => {
    if (child.exitCode !== null) throw new Error('The worker-runtime did not start.');
    return accepts(socket);
  }, 'the worker-runtime listens');
  return {
    socket,
    async stop(): Promise<void> {
      await endOf(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
