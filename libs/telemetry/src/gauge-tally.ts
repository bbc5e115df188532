import { ValueType, type HrTime } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type GaugeMetricData } from '@opentelemetry/sdk-metrics';
import type { Labels } from './tallied.js';

/** A value, and what it is the value of. */
interface Reading {
  readonly labels: Labels;
  readonly value: number;
}

const gauges = new Set<GaugeTally>();

/**
 * A gauge whose series come and go: it shows what there is when it is asked and nothing else, where an instrument goes on
 * showing the last value of labels that are observed no more.
 */
export class GaugeTally {
  constructor(
    readonly name: string,
    readonly description: string,
    readonly unit: string,
    readonly read: () => Iterable<Reading>,
  ) {
    gauges.add(this);
  }
}

/** What every gauge of this process shows now; one metric for each name. */
export function gaugeData(endTime: HrTime): GaugeMetricData[] {
  const byName = new Map<string, GaugeMetricData>();
  for (const { name, description, unit, read } of gauges) {
    const dataPoints = [...read()].map(({ labels, value }) => ({
      startTime: endTime,
      endTime,
      attributes: { ...labels },
      value,
    }));
    const known = byName.get(name);
    if (known !== undefined) known.dataPoints.push(...dataPoints);
    else
      byName.set(name, {
        descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
        aggregationTemporality: AggregationTemporality.CUMULATIVE,
        dataPointType: DataPointType.GAUGE,
        dataPoints,
      });
  }
  return [...byName.values()].filter(({ dataPoints }) => dataPoints.length > 0);
}
