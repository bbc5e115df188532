import type { ChildProcess } from 'node:child_process';
import { until } from './until.js';

/** Waits until a process that a test has started answers with a success at a URL; ends it where it does not. */
export async function untilAnswers(child: ChildProcess, url: string): Promise<void> {
  try {
    await until(async () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the process behind ${url} has ended`);
      return (await fetch(url).catch(() => undefined))?.ok === true;
    }, `a success at ${url}`);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}
