import type { ChildProcess } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { childrenOf, ProcessTable } from './process-table.js';

/**
 * The process id of a child that is ours to end; undefined once it has ended and been buried, when the system may have
 * given its id to somebody else.
 */
export function livingPid({ pid, exitCode, signalCode }: ChildProcess): number | undefined {
  return exitCode === null && signalCode === null ? pid : undefined;
}

/** Ends a child with everything below it, and what it has left behind in its process group. */
export function endTree(child: ChildProcess): void {
  const pid = livingPid(child);
  if (pid === undefined) return;
  child.kill('SIGSTOP'); // it starts nothing more, and does not end and leave its children to others, while we look
  const processes = new ProcessTable();
  const [, ...descendants] = processes.treeOf(pid);
  child.kill('SIGKILL');
  endGroup(pid);
  for (const descendant of descendants) processes.end(descendant);
}

/**
 * Ends whoever is left in the group that a child has led. A group's id is nobody else's while anybody is in it; for a
 * child that has just ended, this is asked in the moment that Node buries it.
 */
export function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // nobody is left
  }
}

/** Ends whoever works in a folder that is one worker's: what hid from its tree and its group, for one. */
export function endAllIn(folder: string): void {
  const processes = new ProcessTable();
  for (const pid of processes.ids()) if (isIn(pid, folder)) processes.end(pid);
}

function isIn(pid: number, folder: string): boolean {
  try {
    return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`);
  } catch {
    return false; // not ours to ask about, or it has just ended
  }
}

/**
 * Ends the first process inside a sandbox, which takes all others with it; bubblewrap then buries it and ends. Ending
 * bubblewrap would do the same, but leave the burial to the system's first process, and in a container that is often
 * nobody's job.
 */
export function endSandbox(child: ChildProcess): void {
  const pid = livingPid(child);
  if (pid === undefined) return;
  const [first] = childrenOf(pid); // bubblewrap lives and has not buried it, so the id is its own
  try {
    if (first !== undefined) process.kill(first, 'SIGKILL');
    else child.kill('SIGKILL');
  } catch {
    child.kill('SIGKILL'); // it had just ended
  }
}
