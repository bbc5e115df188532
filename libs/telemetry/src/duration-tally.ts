import { ValueType, type Attributes, type HrTime } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  type HistogramMetricData,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { gaugeData } from './gauge-tally.js';
import { Tallied, type Labels } from './tallied.js';

interface Distribution {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
  count: number;
}

/** Upper bounds in seconds that every duration of a call is counted by; 2 s is the target of p95. */
export const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];

const tallies = new Set<DurationTally>();
const startTime = hrTime();

/**
 * A histogram for what happens in every call: it counts in maps and tells when it is asked, where an instrument sorts
 * and hashes its labels each time. Values are seconds.
 */
export class DurationTally extends Tallied<Distribution> {
  constructor(
    private readonly name: string,
    private readonly description: string,
    private readonly boundaries: readonly number[] = CALL_SECONDS,
  ) {
    super();
    tallies.add(this);
  }

  /** Counts one duration. */
  record(seconds: number, labels: Labels): void {
    const found = this.seriesOf(labels);
    const at = bucketOf(seconds, this.boundaries);
    found.counts[at] = (found.counts[at] ?? 0) + 1;
    found.sum += seconds;
    found.count += 1;
  }

  protected empty(labels: Labels): Distribution {
    return { labels, counts: Array.from({ length: this.boundaries.length + 1 }, () => 0), sum: 0, count: 0 };
  }

  /** What has been counted, for an exporter. */
  data(endTime: HrTime): HistogramMetricData {
    return {
      descriptor: { name: this.name, description: this.description, unit: 's', valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: [...this.series()].map(({ labels, counts, sum, count }) => ({
        startTime,
        endTime,
        attributes: labels satisfies Attributes,
        value: { buckets: { boundaries: [...this.boundaries], counts: [...counts] }, sum, count },
      })),
    };
  }
}

/** The bucket that a value falls into: the first whose bound it does not exceed. */
export function bucketOf(value: number, boundaries: readonly number[]): number {
  let at = 0;
  while (at < boundaries.length && value > (boundaries[at] ?? 0)) at += 1;
  return at;
}

/** Every duration and gauge tally of this process, for the readers of metrics. */
export const durationProducer: MetricProducer = {
  collect: async () => {
    const endTime = hrTime();
    const metrics: MetricData[] = [...merged([...tallies].map((tally) => tally.data(endTime))), ...gaugeData(endTime)];
    const scope = { name: 'wharf' };
    // Readers put their own resource in its place.
    const resource = { attributes: {}, merge: () => resource, getRawAttributes: () => [] };
    return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics }] }, errors: [] };
  },
};

/** One metric for each name, also where several tallies of a process have the same one. */
function merged(all: readonly HistogramMetricData[]): HistogramMetricData[] {
  const byName = new Map<string, HistogramMetricData>();
  for (const data of all) {
    const known = byName.get(data.descriptor.name);
    if (known === undefined) byName.set(data.descriptor.name, { ...data, dataPoints: [...data.dataPoints] });
    else known.dataPoints.push(...data.dataPoints);
  }
  return [...byName.values()].filter(({ dataPoints }) => dataPoints.length > 0);
}

function hrTime(): HrTime {
  const ms = Date.now();
  return [Math.floor(ms / 1_000), (ms % 1_000) * 1e6];
}
