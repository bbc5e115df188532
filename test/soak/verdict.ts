import type { Sample } from './sample.js';

/**
 * What of a service is watched, and how much it may grow between warm-up and end and still be called flat. In a short soak
 * a heap has not been collected as a whole yet, and grows until it is.
 */
const WATCHED = {
  memoryMb: { title: 'memory, MB', share: 0.15, least: 16, leastOfShort: 64 },
  descriptors: { title: 'descriptors', share: 0.05, least: 6, leastOfShort: 6 },
  processes: { title: 'processes', share: 0.05, least: 1, leastOfShort: 1 },
} as const;

const SHORT_SECONDS = 300;
/** PostgreSQL has a process for each connection, and pools open and close those as calls come. */
const CONNECTIONS_SHARE = 0.15;

/** One measure of one service over a soak. */
export interface Trend {
  readonly service: string;
  readonly measure: string;
  readonly first: number;
  readonly last: number;
  /** What a straight line through the samples rises from warm-up to end. */
  readonly growth: number;
  readonly allowed: number;
}

/** The share of a soak that services are given to warm up: code is compiled, pools fill, caches too. */
export const WARM_SHARE = 0.35;

/** A trend for each measure of a service, from the samples that come after it was warm. */
export function trendsOf(service: string, samples: readonly Sample[]): Trend[] {
  const end = samples.at(-1)?.atSeconds ?? 0;
  const warm = samples.filter(({ atSeconds }) => atSeconds >= end * WARM_SHARE);
  return Object.entries(WATCHED).map(([key, { title, share, least, leastOfShort }]) => {
    const points = warm.map((sample) => [sample.atSeconds, sample[key as keyof typeof WATCHED]] as const); // its keys
    const values = points.map(([, value]) => value);
    const ofConnections = service === 'PostgreSQL' && key !== 'memoryMb';
    const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    return {
      service,
      measure: title,
      first: values[0] ?? 0,
      last: values.at(-1) ?? 0,
      growth: slopeOf(points) * (end - (warm[0]?.atSeconds ?? 0)),
      allowed: Math.max(end < SHORT_SECONDS ? leastOfShort : least, mean * (ofConnections ? CONNECTIONS_SHARE : share)),
    };
  });
}

/** Whether a measure has stayed where it was. */
export function isFlat({ growth, allowed }: Trend): boolean {
  return growth <= allowed;
}

/** The median of the slopes between all pairs (Theil and Sen): a few samples that stand out do not bend it. */
export function slopeOf(points: ReadonlyArray<readonly [number, number]>): number {
  const slopes = points.flatMap(([at, value], index) =>
    points.slice(index + 1).flatMap(([later, other]) => (later > at ? [(other - value) / (later - at)] : [])),
  );
  return slopes.toSorted((left, right) => left - right)[Math.floor(slopes.length / 2)] ?? 0;
}
