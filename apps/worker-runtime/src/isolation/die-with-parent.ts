import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const SETPRIV = '/usr/bin/setpriv';
const OPTIONS = ['--pdeathsig', 'KILL', '--no-new-privs'];
const PROBE_MS = 5_000;

/**
 * The command to start a worker through, so that the kernel ends it with its runtime even when it is too busy to see
 * its pipe close, and it can never gain privileges; empty where util-linux's `setpriv` is missing.
 */
export async function dyingWithParent(): Promise<readonly string[]> {
  try {
    await promisify(execFile)(SETPRIV, [...OPTIONS, process.execPath, '--version'], { timeout: PROBE_MS });
    return [SETPRIV, ...OPTIONS];
  } catch {
    return []; // not Linux, or without util-linux: a worker that is not stuck still ends when its pipe closes
  }
}
