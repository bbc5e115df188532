import { setTimeout as pause } from 'node:timers/promises';
import type { Platform } from '../platform/platform.js';
import { KINDS, type Kind, type Replica } from '../platform/replica.js';
import type { KillablePostgres } from '../platform/postgres.js';
import type { KillableRedis } from '../platform/redis.js';
import { FEW, IN_FLIGHT, NOTHING, WITHOUT_DATABASE, type Cost, type Fault } from './fault.js';
import { oneOf } from './one-of.js';

const STOPPED_MS = 10_000;

type Name = Kind | 'postgres' | 'redis';

/** What each may cost that goes without warning. */
const COSTS: Readonly<Record<Name, Cost>> = {
  gateway: { ...NOTHING, calls: IN_FLIGHT },
  'worker-runtime': { ...NOTHING, calls: IN_FLIGHT, sessions: IN_FLIGHT },
  // No call passes through these.
  'control-plane': { ...NOTHING, api: IN_FLIGHT },
  background: NOTHING,
  // A client goes on with the token that it has.
  'auth-server': { ...NOTHING, api: IN_FLIGHT },
  postgres: WITHOUT_DATABASE,
  redis: { ...NOTHING, calls: FEW, api: FEW },
};

function victim(platform: Platform, name: Name): Replica | KillablePostgres | KillableRedis {
  if (name === 'postgres') return platform.postgres;
  if (name === 'redis') return platform.redis;
  return oneOf(platform, name);
}

const NAMES: readonly Name[] = [...KINDS, 'postgres', 'redis'];

/** One of each kind is killed without warning, and started again at once. */
export const KILLED: readonly Fault[] = NAMES.map((name) => ({
  name: `kill-${name}`,
  cost: COSTS[name],
  run: (platform) => victim(platform, name).kill(),
}));

/** One of each kind stands still for ten seconds, its connections open. */
export const STOOD_STILL: readonly Fault[] = NAMES.map((name) => ({
  name: `stop-${name}`,
  cost: COSTS[name],
  async run(platform) {
    const stopped = victim(platform, name);
    stopped.signal('SIGSTOP');
    await pause(STOPPED_MS);
    stopped.signal('SIGCONT');
  },
}));

/** One of each kind of service is told to stop, as in every new version, and started again: nobody notices. */
export const TERMINATED: readonly Fault[] = KINDS.map((kind) => ({
  name: `terminate-${kind}`,
  cost: kind === 'worker-runtime' ? { ...NOTHING, sessions: IN_FLIGHT } : NOTHING,
  run: (platform) => oneOf(platform, kind).restart(),
}));
