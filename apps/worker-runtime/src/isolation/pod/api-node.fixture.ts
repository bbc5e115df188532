import type { V1Pod, V1Secret } from '@kubernetes/client-node';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bubblewrapOfTheRun } from '#libs/testing';
import { PROJECT_ROOT } from '../project-root.js';

/**
 * A node of a cluster: runs the command of a pod as a process of this machine, with its volumes as folders. A pod has a
 * process namespace, whose first process buries the dead as the pause container does; its network is this machine's.
 */
export class NodeUnderTest {
  readonly #pause = pauseCommand();
  readonly processes = new Map<string, ChildProcess>();
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'wharf-cluster-'));

  /** Mounts, starts, and tells how it goes. */
  run(pod: V1Pod, secret: V1Secret | undefined, tell: (status: object) => void): void {
    const name = pod.metadata?.name ?? '';
    const [container] = pod.spec?.containers ?? [];
    const folder = path.join(this.#folder, name);
    mkdirSync(path.join(folder, 'scratch'), { recursive: true });
    for (const [file, content] of Object.entries(secret?.data ?? {}))
      writeFileSync(path.join(folder, file), Buffer.from(content, 'base64'));
    const [, ...args] = (container?.command ?? []).map((argument) => onThisMachine(argument, folder));
    const output = path.join(folder, 'output');
    const command = [...this.#pause.command, process.execPath, ...args];
    const child = spawn('/bin/sh', ['-c', 'exec "$@" >"$0" 2>&1', output, ...command], {
      cwd: path.join(folder, 'scratch'),
      env: {
        ...Object.fromEntries((container?.env ?? []).map((entry) => [entry.name, entry.value ?? ''])),
        ...this.#pause.env,
      },
      stdio: 'ignore',
    });
    this.processes.set(name, child);
    tell({ phase: 'Running' });
    child.once('exit', (code, signal) => {
      const exitCode = code ?? 137;
      const reason = signal === 'SIGKILL' ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
      const containerStatuses = [{ name: container?.name, state: { terminated: { exitCode, reason } } }];
      tell({ phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses });
    });
  }

  /** What a pod has printed; undefined when it has never run. */
  logOf(name: string): string | undefined {
    return this.processes.has(name) ? readFileSync(path.join(this.#folder, name, 'output'), 'utf8') : undefined;
  }

  end(name: string): void {
    this.processes.get(name)?.kill('SIGKILL');
  }

  stop(): void {
    for (const name of this.processes.keys()) this.end(name);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface Pause {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What stands before the command of a pod, and what that needs. */
function pauseCommand(): Pause {
  const { WHARF_BUBBLEWRAP: bubblewrap = 'bwrap', WHARF_BUBBLEWRAP_LIBRARIES } = bubblewrapOfTheRun();
  const env = WHARF_BUBBLEWRAP_LIBRARIES === undefined ? {} : { LD_LIBRARY_PATH: WHARF_BUBBLEWRAP_LIBRARIES };
  const namespace = [bubblewrap, '--dev-bind', '/', '/', '--unshare-pid', '--die-with-parent'];
  const withProc = [...namespace, '--proc', '/proc', '--'];
  const [program = bubblewrap, ...tried] = [...withProc, '/bin/true'];
  // Containers that mask parts of their /proc refuse a new one.
  const { status } = spawnSync(program, tried, { env });
  return { command: status === 0 ? withProc : [...namespace, '--tmpfs', '/proc', '--'], env };
}

/** The image and the volumes are elsewhere here. */
function onThisMachine(argument: string, folder: string): string {
  return argument
    .replace('/run/wharf', folder)
    .replace('/scratch', path.join(folder, 'scratch'))
    .replace(/(^|=)\/wharf(?=\/|$)/, `$1${PROJECT_ROOT}`);
}
