import { readdirSync, readFileSync } from 'node:fs';

/** What a process and everything it started use now. */
export interface TreeUse {
  /** Memory that is theirs alone: what they wrote, not what is mapped from files. */
  readonly bytes: number;
  /** Processor time so far, of those that ended too. */
  readonly cpuMs: number;
}

interface Entry {
  readonly parent: number;
  /** When it started, in ticks since the system did: with the id, this names a process for good. */
  readonly startedAt: string | undefined;
  readonly cpuMs: number;
}

/** The kernel counts processor time for user space in hundredths of a second (USER_HZ). */
const TICK_MS = 10;

/** All processes of the system as they are now; empty where there is no /proc. */
export class ProcessTable {
  readonly #entries = new Map<number, Entry>();
  readonly #children = new Map<number, number[]>();

  constructor() {
    for (const pid of processIds()) {
      const entry = readEntry(pid);
      if (entry === undefined) continue;
      this.#entries.set(pid, entry);
      const siblings = this.#children.get(entry.parent);
      if (siblings === undefined) this.#children.set(entry.parent, [pid]);
      else siblings.push(pid);
    }
  }

  /** A process with its descendants, itself first. */
  treeOf(pid: number): number[] {
    const tree = [pid];
    for (const member of tree) tree.push(...(this.#children.get(member) ?? []));
    return tree;
  }

  /** All ids. */
  ids(): Iterable<number> {
    return this.#entries.keys();
  }

  /** Ends a process, unless its id is another's by now. */
  end(pid: number): void {
    const seen = this.#entries.get(pid);
    if (seen === undefined || readEntry(pid)?.startedAt !== seen.startedAt) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has just ended
    }
  }

  /** What a process and its descendants use. */
  useOf(pid: number): TreeUse {
    const tree = this.treeOf(pid);
    return {
      bytes: tree.reduce((sum, member) => sum + ownBytes(member), 0),
      cpuMs: tree.reduce((sum, member) => sum + (this.#entries.get(member)?.cpuMs ?? 0), 0),
    };
  }
}

/** The processes that a process's first thread has started and that are there now; none where the system does not tell. */
export function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return children.split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // not Linux, or it has just ended
  }
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return []; // not Linux
  }
}

function readEntry(pid: number): Entry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may hold spaces (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0); // own and ended children's
    return { parent: Number(fields[1]), startedAt: fields[19], cpuMs: ticks * TICK_MS };
  } catch {
    return undefined; // it has just ended
  }
}

function ownBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kibibytes = [...status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)].map(([, found]) => Number(found));
    return kibibytes.reduce((sum, found) => sum + found, 0) * 1024;
  } catch {
    return 0; // it has just ended
  }
}
