import { setTimeout as pause } from 'node:timers/promises';
import { NETWORK_FAULTS, type NetworkFault, type TcpProxy } from '../network/tcp-proxy.js';
import type { Platform } from '../platform/platform.js';
import { FEW, IN_FLIGHT, NOTHING, SOME, WITHOUT_DATABASE, type Cost, type Fault } from './fault.js';
import { busiestRuntime } from './one-of.js';

const HELD_MS = 5_000;

/** A link, and what each of the network's faults on it may cost. */
interface Link {
  readonly name: string;
  readonly costs: Readonly<Record<NetworkFault, Cost>>;
  of(platform: Platform): TcpProxy | undefined;
}

/** Everything is slower and nothing is lost. */
const SLOWER: Cost = { ...NOTHING, calls: FEW, api: FEW };
const CUT: Cost = { ...NOTHING, calls: IN_FLIGHT, api: FEW };
/** Its sessions are lost with a runtime. */
const RUNTIME_CUT: Cost = { ...CUT, sessions: IN_FLIGHT };

const LINKS: readonly Link[] = [
  {
    name: 'balancer-to-gateway',
    of: ({ gateways }) => gateways[0]?.link,
    costs: { latency: SLOWER, 'slow drip': SLOWER, reset: CUT, 'black hole': CUT, 'half-open': CUT },
  },
  {
    name: 'services-to-runtime',
    of: (platform) => busiestRuntime(platform).link,
    costs: {
      latency: SLOWER,
      'slow drip': SLOWER,
      reset: RUNTIME_CUT,
      'black hole': RUNTIME_CUT,
      // Each gateway finds it out by calls that reach their deadlines.
      'half-open': { ...RUNTIME_CUT, calls: SOME, again: SOME },
    },
  },
  {
    name: 'services-to-postgres',
    of: ({ postgres }) => postgres.link,
    costs: {
      latency: SLOWER,
      'slow drip': SLOWER,
      reset: WITHOUT_DATABASE,
      'black hole': WITHOUT_DATABASE,
      'half-open': WITHOUT_DATABASE,
    },
  },
  {
    name: 'services-to-redis',
    of: ({ redis }) => redis.link,
    costs: { latency: SLOWER, 'slow drip': SLOWER, reset: SLOWER, 'black hole': SLOWER, 'half-open': SLOWER },
  },
];

/** The network fails between each pair: to one of several gateways and runtimes, and to PostgreSQL and Redis from everywhere. */
export const NETWORK: readonly Fault[] = LINKS.flatMap(({ name, costs, of }) =>
  NETWORK_FAULTS.map((fault) => ({
    name: `${name}-${fault.replaceAll(' ', '-')}`,
    cost: costs[fault],
    async run(platform: Platform) {
      const link = of(platform);
      link?.begin(fault);
      await pause(HELD_MS);
      link?.end();
    },
  })),
);
