import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseSpoolLine, type SpooledEntry, type SpooledOutcome } from './records.js';

/** A spool whose process is gone. */
export interface Leftover {
  readonly directory: string;
  readonly records: ReadonlyArray<{ readonly entry: SpooledEntry; readonly ended: SpooledOutcome }>;
}

const INTERRUPTED: SpooledOutcome = { outcome: 'interrupted', details: {} };

/** A directory for a new spool; its name tells the process it belongs to. */
export function newSpoolDirectory(root: string): string {
  return join(root, `${process.pid}-${randomUUID()}`);
}

/** Every spool under `root`, other than our own, whose process has ended; an intent without an outcome was interrupted. */
export async function readLeftovers(root: string, own: string): Promise<Leftover[]> {
  const names = await readdir(root);
  const leftovers: Leftover[] = [];
  for (const name of names) {
    const directory = join(root, name);
    if (directory === own || isOwned(directory)) continue;
    leftovers.push({ directory, records: await readRecords(directory) });
  }
  return leftovers;
}

/** Deletes a spool whose records have arrived. */
export async function removeSpool(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

function isOwned(directory: string): boolean {
  const pid = Number.parseInt(basename(directory), 10);
  if (!(pid > 0)) return false;
  // Ours by number but not by name: an earlier process of another container or boot.
  if (pid === process.pid) return liveHere.has(directory);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // what process.kill throws
  }
}

/** Spools open in this very process, which may host more than one gateway. */
export const liveHere = new Set<string>();

async function readRecords(directory: string): Promise<Leftover['records']> {
  const open = new Map<string, SpooledEntry>();
  const records: Array<Leftover['records'][number]> = [];
  const segments = (await readdir(directory)).filter((name) => name.endsWith('.ndjson')).sort();
  for (const segment of segments) {
    for await (const text of createInterface({
      input: createReadStream(join(directory, segment)),
      crlfDelay: Infinity,
    })) {
      const line = parseSpoolLine(text);
      if (line?.t === 'intent') open.set(line.entry.id, line.entry);
      if (line?.t === 'entry')
        records.push({ entry: line.entry, ended: { outcome: line.outcome, details: line.details } });
      const entry = line?.t === 'outcome' ? open.get(line.id) : undefined;
      if (line?.t !== 'outcome' || entry === undefined) continue;
      open.delete(line.id);
      records.push({ entry, ended: { outcome: line.outcome, details: line.details } });
    }
  }
  for (const entry of open.values()) records.push({ entry, ended: INTERRUPTED });
  return records;
}
