import { readdirSync, readFileSync } from 'node:fs';

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
}

function processes(): ProcessRow[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return [{ pid: Number(pid), parent, name }];
      } catch {
        return [];
      }
    });
}

function proportionalKb(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Proportional memory (PSS) of a process and everything it started, in MB by program name. Linux only. */
export function memoryOf(root: number): Map<string, number> {
  const all = processes();
  const family = new Set([root]);
  for (let grown = true; grown;) {
    const more = all.filter((row) => family.has(row.parent) && !family.has(row.pid));
    for (const row of more) family.add(row.pid);
    grown = more.length > 0;
  }
  const byName = new Map<string, number>();
  for (const row of all.filter(({ pid }) => family.has(pid))) {
    byName.set(row.name, (byName.get(row.name) ?? 0) + proportionalKb(row.pid) / 1024);
  }
  return byName;
}
