import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a process and everything that it started hold at one moment. */
export interface Sample {
  /** Seconds since the first sample. */
  readonly atSeconds: number;
  /** Proportional memory (PSS). */
  readonly memoryMb: number;
  /** Without the files of tables: PostgreSQL keeps open what it has used, up to `max_files_per_process` for each connection. */
  readonly descriptors: number;
  readonly processes: number;
}

/** Looks at a process and its descendants. */
export function sampleOf(pid: number, atSeconds: number): Sample {
  const family = familyOf(pid);
  return {
    atSeconds,
    memoryMb: family.reduce((sum, each) => sum + memoryKb(each), 0) / 1024,
    descriptors: family.reduce((sum, each) => sum + descriptorsOf(each), 0),
    processes: family.length,
  };
}

/** A process and everything it started. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

/** Proportional memory of a process, in kB; 0 where it has ended. */
export function memoryKb(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

/** CPU that a process has used so far, in ms: Linux counts ticks of 10. */
export function cpuMsOf(pid: number): number {
  const stat = textOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
}

/** Children of every thread: any of them may have started one. */
function childrenOf(pid: number): number[] {
  return namesIn(`/proc/${pid}/task`).flatMap((thread) =>
    textOf(`/proc/${pid}/task/${thread}/children`)
      .split(' ')
      .filter((child) => child !== '')
      .map(Number),
  );
}

const OF_A_TABLE = /\/(?:base\/\d+|global)\/\d+(?:_\w+)?(?:\.\d+)?(?: \(deleted\))?$/;

function descriptorsOf(pid: number): number {
  return namesIn(`/proc/${pid}/fd`).filter((name) => !OF_A_TABLE.test(targetOf(`/proc/${pid}/fd/${name}`))).length;
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ''; // it was closed meanwhile
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it ended meanwhile
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}
