import { SICK_UPSTREAMS } from '../traffic/upstream.js';
import type { Fault } from './fault.js';
import { NETWORK } from './links.js';
import { KILLED, STOOD_STILL, TERMINATED } from './processes.js';
import { STORES } from './stores.js';
import { CHANGES, CLOCKS, FULL_DISKS } from './surroundings.js';

/** Everything that breaks, in the order in which it does; upstreams fall sick before, all at once. */
export const FAULTS: readonly Fault[] = [
  ...KILLED,
  ...TERMINATED,
  ...FULL_DISKS,
  ...CLOCKS,
  ...STOOD_STILL,
  ...NETWORK,
  ...STORES,
  ...CHANGES,
];

/** The names of all that can be brought about. */
export const NAMES: readonly string[] = [...SICK_UPSTREAMS, ...FAULTS.map(({ name }) => name)];

/** The names that begin as one of these. */
export function namesFrom(starts: readonly string[]): readonly string[] {
  return NAMES.filter((name) => starts.some((start) => name.startsWith(start)));
}

/** Those beginnings that no name has. */
export function strangersAmong(starts: readonly string[]): readonly string[] {
  return starts.filter((start) => namesFrom([start]).length === 0);
}
