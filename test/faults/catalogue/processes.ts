import { setTimeout as pause } from 'node:timers/promises';
import type { Platform } from '../platform/platform.js';
import { KINDS, type Kind } from '../platform/replica.js';
import type { Fault } from './fault.js';

const STOPPED_MS = 10_000;
/** No call passes through these. */
const BESIDE: ReadonlySet<Kind | 'postgres' | 'redis'> = new Set(['background', 'control-plane']);

/** What can be killed and stood still, and started again. */
interface Victim {
  readonly name: Kind | 'postgres' | 'redis';
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

function victimsOf({ replicas, postgres, redis }: Platform): Victim[] {
  const services = KINDS.flatMap((kind) => {
    const [first] = replicas[kind];
    const kill = async (): Promise<void> => first?.kill();
    return first === undefined ? [] : [{ name: kind, kill, signal: (signal: NodeJS.Signals) => first.signal(signal) }];
  });
  return [
    ...services,
    { name: 'postgres', kill: () => postgres.kill(), signal: (signal) => postgres.signal(signal) },
    { name: 'redis', kill: () => redis.kill(), signal: (signal) => redis.signal(signal) },
  ];
}

/** One of each kind is killed without warning, and started again at once. */
export function killed(platform: Platform): Fault[] {
  return victimsOf(platform).map(({ name, kill }) => ({
    name: `kill-${name}`,
    promise: 'a killed process',
    calls: BESIDE.has(name) ? 'must succeed' : 'may fail',
    run: kill,
  }));
}

/** One of each kind stands still for ten seconds, its connections open. */
export function stoodStill(platform: Platform): Fault[] {
  return victimsOf(platform).map(({ name, signal }) => ({
    name: `stop-${name}`,
    promise: 'a process that stands still',
    calls: BESIDE.has(name) ? 'must succeed' : 'may fail',
    async run() {
      signal('SIGSTOP');
      await pause(STOPPED_MS);
      signal('SIGCONT');
    },
  }));
}

/** One of each kind of service is told to stop, as in every new version, and started again: nobody notices. */
export function terminated({ replicas }: Platform): Fault[] {
  return KINDS.map((kind) => ({
    name: `terminate-${kind}`,
    promise: 'a process that is told to stop',
    calls: kind === 'worker-runtime' ? 'sessions may end' : 'must succeed',
    run: async () => replicas[kind][0]?.restart(),
  }));
}
