/** Labels of a series: few values each, in the same order at every count. */
export type Labels = Readonly<Record<string, string>>;

/** Series of one metric in a plain map, found by the values of their labels. */
export abstract class Tallied<Series extends { readonly labels: Labels }> {
  readonly #series = new Map<string, Series>();

  protected abstract empty(labels: Labels): Series;

  protected seriesOf(labels: Labels): Series {
    const key = Object.values(labels).join('|');
    const found = this.#series.get(key);
    if (found !== undefined) return found;
    const made = this.empty(labels);
    this.#series.set(key, made);
    return made;
  }

  protected series(): Iterable<Series> {
    return this.#series.values();
  }

  /** Forgets the series that have all these labels, so that labels that come and go do not add up. */
  forget(gone: Readonly<Record<string, string>>): void {
    const wanted = Object.entries(gone);
    for (const [key, { labels }] of this.#series)
      if (wanted.every(([label, value]) => labels[label] === value)) this.#series.delete(key);
  }
}
