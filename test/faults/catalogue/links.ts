import { setTimeout as pause } from 'node:timers/promises';
import { NETWORK_FAULTS, type TcpProxy } from '../network/tcp-proxy.js';
import type { Platform } from '../platform/platform.js';
import type { Fault } from './fault.js';

const HELD_MS = 5_000;

/** The network fails between each pair: to one of several gateways and runtimes, and to PostgreSQL and Redis from everywhere. */
export function networkFaults({ gateways, runtimes, postgres, redis }: Platform): Fault[] {
  const links: ReadonlyArray<readonly [string, TcpProxy | undefined]> = [
    ['balancer-to-gateway', gateways[0]?.link],
    ['services-to-runtime', runtimes[0]?.link],
    ['services-to-postgres', postgres.link],
    ['services-to-redis', redis.link],
  ];
  return links.flatMap(([name, link]) =>
    NETWORK_FAULTS.map((fault) => ({
      name: `${name}-${fault.replaceAll(' ', '-')}`,
      promise: 'a network that fails',
      calls: 'may fail' as const,
      async run() {
        link?.begin(fault);
        await pause(HELD_MS);
        link?.end();
      },
    })),
  );
}
