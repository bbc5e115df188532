import { readdirSync, readFileSync } from 'node:fs';

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** CPU of the process and of its children that have ended, in ms. */
  readonly cpuMs: number;
}

/** Which of the platform's programs a process is. */
export type Part = 'services' | 'runtime' | 'worker' | 'postgres' | 'redis' | 'other';

/** Linux counts CPU in ticks of 10 ms. */
const TICK_MS = 10;

function readRow(pid: string): ProcessRow[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return [{ pid: Number(pid), parent: Number(fields[1]), name, cpuMs: ticks * TICK_MS }];
  } catch {
    return []; // it ended meanwhile
  }
}

function familyOf(root: number): ProcessRow[] {
  const all = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap(readRow);
  const family = new Set([root]);
  for (let grown = true; grown;) {
    const more = all.filter((row) => family.has(row.parent) && !family.has(row.pid));
    for (const row of more) family.add(row.pid);
    grown = more.length > 0;
  }
  return all.filter(({ pid }) => family.has(pid));
}

function proportionalKb(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function partOf(row: ProcessRow, root: number): Part {
  if (row.pid === root) return 'services';
  if (row.name.includes('postgres')) return 'postgres';
  if (/redis|valkey/.test(row.name)) return 'redis';
  try {
    const command = readFileSync(`/proc/${row.pid}/cmdline`, 'utf8');
    if (/worker-runtime\/src\/runner\/main\.js/.test(command)) return 'worker';
    return /worker-runtime\/src\/main\.js/.test(command) ? 'runtime' : 'other';
  } catch {
    return 'other';
  }
}

/** CPU that a process and everything it started have used so far, in ms. */
export function familyCpuMs(root: number): number {
  return familyOf(root).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** The same by part of the platform. */
export function cpuMsByPart(root: number): Map<Part, number> {
  return sumByPart(root, ({ cpuMs }) => cpuMs);
}

/** Proportional memory (PSS) of a process and everything it started, in kB by part. */
export function memoryKbByPart(root: number): Map<Part, number> {
  return sumByPart(root, ({ pid }) => proportionalKb(pid));
}

/** Proportional memory of each worker that runs, in kB. */
export function workersKb(root: number): number[] {
  return familyOf(root)
    .filter((row) => partOf(row, root) === 'worker')
    .map(({ pid }) => proportionalKb(pid));
}

function sumByPart(root: number, of: (row: ProcessRow) => number): Map<Part, number> {
  const byPart = new Map<Part, number>();
  for (const row of familyOf(root)) {
    const part = partOf(row, root);
    byPart.set(part, (byPart.get(part) ?? 0) + of(row));
  }
  return byPart;
}
