import { setFlagsFromString } from 'node:v8';

/**
 * Lets the thread that serves collect its young garbage alone. What one turn of a server leaves is small: waking other
 * threads to help with it costs more processor time than they take off, and keeps them from the processes beside us.
 * V8 reads this flag at every collection, so it may be set in a process that runs.
 */
export function collectAlone(): void {
  setFlagsFromString('--no-parallel-scavenge');
}
