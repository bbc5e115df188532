import { meter } from './telemetry.js';

/** A counter's labels: few values each, in the same order at every count. */
type Labels = Readonly<Record<string, string>>;

interface Counted {
  readonly labels: Labels;
  count: number;
}

/**
 * A counter for what happens in every call. It counts in a map and tells when it is asked, where an instrument sorts
 * and hashes its labels each time.
 */
export class Tally {
  readonly #counted = new Map<string, Counted>();

  constructor(room: string, name: string, description: string) {
    const counter = meter(room).createObservableCounter(name, { description });
    counter.addCallback((result) => {
      for (const { labels, count } of this.#counted.values()) result.observe(count, labels);
    });
  }

  /** Counts one. */
  add(labels: Labels): void {
    const key = Object.values(labels).join('|');
    const counted = this.#counted.get(key);
    if (counted === undefined) this.#counted.set(key, { labels, count: 1 });
    else counted.count += 1;
  }
}
