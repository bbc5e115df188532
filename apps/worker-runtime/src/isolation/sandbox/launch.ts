import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { PROJECT_ROOT } from '../project-root.js';

/** Where root shows a worker's user the project, when that user could not enter the folders above it. */
const STAGE = '/mnt';
/** A range of user ids that nothing else hands out (systemd.io/UIDS-GIDS); one for each worker. */
const FIRST_USER = 1_900_000_000;
const USERS = 1_000_000;
const NOBODY = 65_534;

/** The first to go when the machine is out of memory; then into its cgroup, and the project shown where it can be read. */
const ENTER = `echo 1000 2>/dev/null >/proc/self/oom_score_adj
[ -z "$1" ] || echo $$ >"$1/cgroup.procs" || exit 125
[ -z "$2" ] || mount --bind "$2" ${STAGE} || exit 125
shift 2
exec "$@"`;

/** How a sandbox's command is started: as a user of its own where we are root, else as ourselves. */
export class Launch {
  /** Whether we are root, so that workers get users of their own. */
  readonly asRoot = process.getuid?.() === 0;
  readonly #users = this.asRoot ? usersInReach() : 0;
  #stage = false;
  #last = Math.floor(Math.random() * USERS);

  /** Whether every worker has a user of its own outside. */
  get ownUsers(): boolean {
    return this.#users > 1;
  }

  /** A file as the worker's user reaches it. @throws Error when it cannot be shown to that user */
  reachable(file: string): string {
    if (!this.asRoot || everybodyMayEnter(file)) return file;
    const below = path.relative(PROJECT_ROOT, file);
    if (below.startsWith('..')) throw new Error(`workers run as a user of their own, who cannot enter ${file}`);
    this.#stage = true;
    return path.join(STAGE, below);
  }

  /** The whole command, after `reachable` has seen every file of it. `cgroup` is the folder to put it into. */
  command(sandbox: readonly string[], cgroup: string | undefined): [program: string, ...args: string[]] {
    const enter = ['-c', ENTER, 'sh', cgroup ?? '', this.#stage ? PROJECT_ROOT : ''];
    const user = this.asRoot ? this.#nextUser() : [];
    return this.#stage
      ? ['/usr/bin/unshare', '--mount', '/bin/sh', ...enter, ...user, ...sandbox]
      : ['/bin/sh', ...enter, ...user, ...sandbox];
  }

  #nextUser(): string[] {
    this.#last = (this.#last + 1) % Math.max(1, this.#users);
    const id = this.#users > 1 ? FIRST_USER + this.#last : NOBODY;
    return ['/usr/bin/setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups'];
  }
}

/** How many users of the range this machine (or the container that we are root of) has. */
function usersInReach(): number {
  const map = existsSync('/proc/self/uid_map') ? readFileSync('/proc/self/uid_map', 'utf8') : '';
  const ranges = map.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  const holds = ranges.some(([first = 0, , count = 0]) => first <= FIRST_USER && first + count >= FIRST_USER + USERS);
  return holds ? USERS : 1;
}

function everybodyMayEnter(file: string): boolean {
  for (let at = path.dirname(file); ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (path.dirname(at) === at) return true;
  }
}
