import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeFrame } from '#libs/protocol';
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

/** A worker-runtime as a service sees it that is started beside it. */
interface TestRuntime {
  readonly socket: string;
  stop(): Promise<void>;
}

/** No worker-runtime: it greets whoever connects first, so that a start does not wait for its hello, and is gone. */
export async function goneRuntime(): Promise<TestRuntime> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-cp-'));
  const socket = path.join(folder, 'runtime.sock');
  const server = createServer((connection) => {
    server.close();
    // What it is told is read to its end: a connection that nobody reads stays open.
    connection.on('error', () => undefined).resume();
    connection.end(encodeFrame({ t: 'hello', runtimeId: 'gone', version: 2, challenge: 'challenge' }));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    async stop(): Promise<void> {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A worker-runtime process of one's own, listening. */
export async function startRuntime(intakeKey: string): Promise<TestRuntime> {
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
