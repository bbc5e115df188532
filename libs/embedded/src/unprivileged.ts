import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedError } from './embedded-error.js';
import type { ServerCommand } from './server-process.js';

/** The account `nobody`, which every Unix system has: PostgreSQL refuses to run as root and wants a known user. */
const NOBODY = process.platform === 'darwin' ? 4_294_967_294 : 65_534;
const SETPRIV = '/usr/bin/setpriv';
const CAPABILITIES = '+dac_override,+dac_read_search';

/** Whether this process is root, so that PostgreSQL needs another user. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The user that PostgreSQL's files belong to when we are root. */
export const UNPRIVILEGED_USER = { uid: NOBODY, gid: NOBODY } as const;

function everybodyMayEnter(folder: string): boolean {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (path.dirname(at) === at) return true;
  }
}

/**
 * The command as a user who is not root. Where that user could not reach the given folders (a clone in root's home),
 * the command keeps the one capability it needs to.
 * @throws EmbeddedError when neither is possible
 */
export function unprivileged(
  command: string,
  args: readonly string[],
  parents: readonly string[],
): Pick<ServerCommand, 'command' | 'args' | 'uid' | 'gid'> {
  if (!isRoot()) return { command, args };
  const unreachable = parents.find((folder) => !everybodyMayEnter(folder));
  if (unreachable === undefined) return { command, args, ...UNPRIVILEGED_USER };
  if (!existsSync(SETPRIV)) {
    throw new EmbeddedError(
      `PostgreSQL does not run as root, and no other user can enter ${unreachable}; run Wharf as a normal user, or set DATABASE_URL.`,
    );
  }
  const change = [
    `--reuid=${NOBODY}`,
    `--regid=${NOBODY}`,
    '--clear-groups',
    // Without it access(2) ignores the capabilities of a user who is not root, and initdb finds no "postgres".
    '--securebits=+no_setuid_fixup',
    `--inh-caps=${CAPABILITIES}`,
    `--ambient-caps=${CAPABILITIES}`,
  ];
  return { command: SETPRIV, args: [...change, command, ...args] };
}
