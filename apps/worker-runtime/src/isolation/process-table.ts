import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { setImmediate as othersTurn } from 'node:timers/promises';

/** What a process and everything it started use now. */
export interface TreeUse {
  /** Memory that they have, also what is mapped from files, which each of them counts. */
  readonly residentBytes: number;
  /** Processor time so far, of those that ended too. */
  readonly cpuMs: number;
}

interface Entry {
  readonly parent: number;
  /** When it started, in ticks since the system did: with the id, this names a process for good. */
  readonly startedAt: string | undefined;
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** How many processes are asked about before others have their turn. */
const SLICE = 64;
/** The kernel counts processor time for user space in hundredths of a second (USER_HZ). */
const TICK_MS = 10;
/** AT_PAGESZ. */
const PAGE_SIZE_KEY = 6n;
const PAGE_BYTES_USUAL = 4_096;
const PAGE_BYTES = pageBytes();

/** All processes of the system as they are now; empty where there is no /proc. */
export class ProcessTable {
  readonly #entries = new Map<number, Entry>();
  readonly #children = new Map<number, number[]>();

  constructor(pids: readonly number[] = processIds()) {
    for (const pid of pids) this.#add(pid);
  }

  /** The same, some at a time, for who looks often and must not hold up others. */
  static async gather(): Promise<ProcessTable> {
    const table = new ProcessTable([]);
    const pids = processIds();
    for (let from = 0; from < pids.length; from += SLICE) {
      for (const pid of pids.slice(from, from + SLICE)) table.#add(pid);
      await othersTurn();
    }
    return table;
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
      residentBytes: tree.reduce((sum, member) => sum + (this.#entries.get(member)?.residentBytes ?? 0), 0),
      cpuMs: tree.reduce((sum, member) => sum + (this.#entries.get(member)?.cpuMs ?? 0), 0),
    };
  }

  /** Memory that is a process's and its descendants' alone: what they wrote, not what is mapped from files. */
  ownBytesOf(pid: number): number {
    return this.treeOf(pid).reduce((sum, member) => sum + ownBytes(member), 0);
  }

  #add(pid: number): void {
    const entry = readEntry(pid);
    if (entry === undefined) return;
    this.#entries.set(pid, entry);
    const siblings = this.#children.get(entry.parent);
    if (siblings === undefined) this.#children.set(entry.parent, [pid]);
    else siblings.push(pid);
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
    const stat = readShort(`/proc/${pid}/stat`);
    // The second field is the command in parentheses and may hold spaces (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0); // own and ended children's
    return {
      parent: Number(fields[1]),
      startedAt: fields[19],
      cpuMs: ticks * TICK_MS,
      residentBytes: Number(fields[21]) * PAGE_BYTES,
    };
  } catch {
    return undefined; // it has just ended
  }
}

function ownBytes(pid: number): number {
  try {
    const status = readShort(`/proc/${pid}/status`);
    const kibibytes = [...status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)].map(([, found]) => Number(found));
    return kibibytes.reduce((sum, found) => sum + found, 0) * 1024;
  } catch {
    return 0; // it has just ended
  }
}

const answer = Buffer.alloc(8_192);

/** What the kernel says in one read: many times a second, `readFileSync` would ask for sizes that it does not have. */
function readShort(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    return answer.toString('latin1', 0, readSync(descriptor, answer, 0, answer.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** The size of a page, from what the kernel tells every process as it starts (getauxval(3)). */
function pageBytes(): number {
  try {
    const told = readFileSync('/proc/self/auxv');
    for (let at = 0; at + 16 <= told.length; at += 16)
      if (told.readBigUInt64LE(at) === PAGE_SIZE_KEY) return Number(told.readBigUInt64LE(at + 8));
  } catch {
    // not Linux, where no table has entries
  }
  return PAGE_BYTES_USUAL;
}
