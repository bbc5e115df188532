import { readFileSync } from 'node:fs';

/** Bytes of memory a process holds now; 0 where the system does not tell (only Linux does, in /proc). */
export function residentBytes(pid: number): number {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0';
    return Number(kibibytes) * 1024;
  } catch {
    return 0; // not Linux, or it has just ended
  }
}
