import { Tallied, type Labels } from './tallied.js';
import { meter } from './telemetry.js';

interface Counted {
  readonly labels: Labels;
  count: number;
}

/**
 * A counter for what happens in every call. It counts in a map and tells when it is asked, where an instrument sorts
 * and hashes its labels each time.
 */
export class Tally extends Tallied<Counted> {
  constructor(room: string, name: string, description: string) {
    super();
    const counter = meter(room).createObservableCounter(name, { description });
    counter.addCallback((result) => {
      for (const { labels, count } of this.series()) result.observe(count, labels);
    });
  }

  /** Counts one. */
  add(labels: Labels): void {
    this.seriesOf(labels).count += 1;
  }

  protected empty(labels: Labels): Counted {
    return { labels, count: 0 };
  }
}
