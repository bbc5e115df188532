import type { V1Pod, V1Secret } from '@kubernetes/client-node';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PROJECT_ROOT } from '../project-root.js';

/** A node of a cluster: runs the command of a pod as a process of this machine, with its volumes as folders. */
export class NodeUnderTest {
  readonly processes = new Map<string, ChildProcess>();
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'wharf-cluster-'));

  /** Mounts, starts, and tells how it goes. */
  run(pod: V1Pod, secret: V1Secret | undefined, tell: (status: object) => void): void {
    const name = pod.metadata?.name ?? '';
    const [container] = pod.spec?.containers ?? [];
    const folder = path.join(this.#folder, name);
    mkdirSync(path.join(folder, 'scratch'), { recursive: true });
    writeFileSync(path.join(folder, 'key'), Buffer.from(secret?.data?.['key'] ?? '', 'base64'));
    const [, ...args] = (container?.command ?? []).map((argument) => onThisMachine(argument, folder));
    const output = path.join(folder, 'output');
    const child = spawn('/bin/sh', ['-c', 'exec "$@" >"$0" 2>&1', output, process.execPath, ...args], {
      cwd: path.join(folder, 'scratch'),
      env: Object.fromEntries((container?.env ?? []).map((entry) => [entry.name, entry.value ?? ''])),
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

/** The image and the volumes are elsewhere here. */
function onThisMachine(argument: string, folder: string): string {
  return argument
    .replace('/run/wharf', folder)
    .replace('/scratch', path.join(folder, 'scratch'))
    .replace(/(^|=)\/wharf(?=\/|$)/, `$1${PROJECT_ROOT}`);
}
