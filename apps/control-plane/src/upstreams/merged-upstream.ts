import type { z } from 'zod';
import type { UpstreamState } from '#libs/protocol';
import type { listUpstreams } from './upstreams.schema.js';

type Upstream = Omit<z.input<typeof listUpstreams.answer.schema>['upstreams'][number], 'candidate'>;

const BY_GRAVITY = ['open', 'half-open', 'closed'] as const;

/**
 * One upstream as several runtimes see it: each has a breaker of its own, so the gravest state counts, sums are sums,
 * and of what happened the last counts. The next try is when all of them let calls through again.
 */
export function mergedUpstream(origin: string, states: readonly UpstreamState[]): Upstream {
  const newest = states
    .flatMap(({ lastError }) => (lastError === undefined ? [] : [lastError]))
    .sort((left, right) => right.atMs - left.atMs)[0];
  return {
    origin,
    state: BY_GRAVITY.find((candidate) => states.some(({ state }) => state === candidate)) ?? 'closed',
    requests: states.reduce((sum, { requests }) => sum + requests, 0),
    failures: states.reduce((sum, { failures }) => sum + failures, 0),
    next_try: latest(states.map(({ retryAtMs }) => retryAtMs)),
    last_error: newest === undefined ? null : { class: newest.reason, at: new Date(newest.atMs).toISOString() },
    last_success: latest(states.map(({ lastSuccessAtMs }) => lastSuccessAtMs)),
  };
}

/** One upstream as the live release meets it and, beside it, as a candidate does that is another release. */
export function upstreamOfBoth(
  origin: string,
  candidate: string | undefined,
  seen: readonly UpstreamState[],
): Upstream & { candidate: Omit<Upstream, 'origin'> | null } {
  const own = seen.filter((state) => state.origin === origin);
  const live = mergedUpstream(
    origin,
    own.filter(({ release }) => release === undefined || release !== candidate),
  );
  if (candidate === undefined) return { ...live, candidate: null };
  const { origin: _, ...health } = mergedUpstream(
    origin,
    own.filter(({ release }) => release === candidate),
  );
  return { ...live, candidate: health };
}

function latest(times: ReadonlyArray<number | undefined>): string | null {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? null : new Date(Math.max(...known)).toISOString();
}
