import type { Linked, Platform } from '../platform/platform.js';
import type { Kind, Replica } from '../platform/replica.js';

/** The copy of a kind that something happens to: of runtimes the one that carries most, for another may have no tenant. */
export function oneOf(platform: Platform, kind: Kind): Replica {
  if (kind === 'worker-runtime') return busiestRuntime(platform).replica;
  const [first] = platform.replicas[kind];
  if (first === undefined) throw new Error('there is one of each kind');
  return first;
}

/** The runtime that calls pass to, by what has gone through its link so far. */
export function busiestRuntime({ runtimes }: Platform): Linked {
  const [busiest] = runtimes.toSorted((one, other) => other.link.passedBytes - one.link.passedBytes);
  if (busiest === undefined) throw new Error('there is a runtime');
  return busiest;
}
