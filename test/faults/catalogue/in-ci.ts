/**
 * How the names begin of the faults that CI brings about, on two cores that others may use too: those that a busy machine
 * makes slower and not different, and that fit into ten minutes. Whoever brings about all of them needs a quiet machine.
 */
export const IN_CI: readonly string[] = [
  'upstream-',
  'runtime-to-upstream-',
  'kill-gateway',
  'kill-worker-runtime',
  'kill-control-plane',
  'kill-auth-server',
  'kill-background',
  'terminate-',
  'disk-full-',
  'balancer-to-gateway-',
  'services-to-runtime-latency',
  'services-to-runtime-reset',
  'services-to-runtime-black-hole',
  'redis-flushed',
  'postgres-failed-over',
  'migrate',
];
