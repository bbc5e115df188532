import { readdirSync, readFileSync } from 'node:fs';

/** What the sandbox says to a runner whose own all processes are that it can see. */
const ALONE = 'alone';
/** The first process of a sandbox or a pod, which is given all whose parent has ended. */
const FIRST = 1;
/** Passes over the processes, for those that start others while they are ended. */
const PASSES_MAX = 5;

/** Everything that a process has started, as far as the system tells. */
export function descendantsOf(pid: number): readonly number[] {
  const parents = parentsOf();
  const tree = [pid];
  for (const member of tree) for (const [child, parent] of parents) if (parent === member) tree.push(child);
  return tree.slice(1);
}

/** Ends a process and everything that it has started. */
export function endTree(pid: number): void {
  endAll([pid, ...descendantsOf(pid)]);
}

/** Ends processes; those that have ended are none. */
export function endAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it had just ended
    }
  }
}

/**
 * Ends what servers have left behind: processes that nobody waits for any more, who are given to the sandbox's or
 * pod's first process. Outside of a sandbox, where such processes are anybody's, nothing is done.
 */
export function endOrphans(servers: ReadonlySet<number>): void {
  if (!process.argv.includes(ALONE, 2)) return;
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    const orphans = [...parentsOf()].filter(([pid, parent]) => parent === FIRST && pid !== process.pid);
    const left = orphans.map(([pid]) => pid).filter((pid) => !servers.has(pid));
    if (left.length === 0) return;
    for (const pid of left) endTree(pid);
  }
}

/** Parents of all processes that run; none where there is no /proc. */
function parentsOf(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const name of processNames()) {
    const parent = parentOf(name);
    if (parent !== undefined) parents.set(Number(name), parent);
  }
  return parents;
}

function processNames(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // the host lets sandboxes have no /proc of their own
  }
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may hold spaces (proc_pid_stat(5)); zombies have ended.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : Number(parent);
  } catch {
    return undefined; // it has just ended
  }
}
