import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const GRACE_MS = 30_000;

/** Ends a process that a test has started, and returns when it is gone; after 30 seconds it is not asked again. */
export async function endOf(child: ChildProcess | undefined, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  child.kill(signal);
  await exited;
  clearTimeout(timer);
}
