/** What stands for every name that is not among the first. */
export const OTHER = 'other';

interface Candidate {
  count: number;
  named: boolean;
}

const RANK_EVERY_MS = 60_000;
const CANDIDATES_FOR_NAME = 8;

/**
 * Bounds a label to the names with the most traffic: the rest is `other`. Names are ranked anew every minute; one that
 * loses its place is reported, so that its series end.
 */
export class TopNames {
  readonly #candidates = new Map<string, Candidate>();
  #named = 0;
  #rankedMs: number;

  constructor(
    private readonly most: number,
    private readonly onDropped: (name: string) => void,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.#rankedMs = nowMs();
  }

  /** Counts one for a name and tells what to write in its place: the name, or `other`. */
  count(name: string): string {
    if (this.nowMs() - this.#rankedMs >= RANK_EVERY_MS) this.#rank();
    const known = this.#candidates.get(name);
    if (known !== undefined) {
      known.count += 1;
      return known.named ? name : OTHER;
    }
    if (this.#candidates.size >= this.most * CANDIDATES_FOR_NAME) return OTHER;
    const named = this.#named < this.most;
    if (named) this.#named += 1;
    this.#candidates.set(name, { count: 1, named });
    return named ? name : OTHER;
  }

  /** What to write for a name without counting it: for one that nobody has proved to exist. */
  find(name: string): string {
    return this.#candidates.get(name)?.named === true ? name : OTHER;
  }

  #rank(): void {
    this.#rankedMs = this.nowMs();
    const ranked = [...this.#candidates].sort(([, left], [, right]) => weightOf(right) - weightOf(left));
    for (const [place, [name, candidate]] of ranked.entries()) {
      const named = place < this.most;
      if (candidate.named && !named) this.onDropped(name);
      candidate.named = named;
      candidate.count = Math.floor(candidate.count / 2);
      if (!named && candidate.count === 0) this.#candidates.delete(name);
    }
    this.#named = Math.min(this.most, this.#candidates.size);
  }
}

/** A name that has its place keeps it until another has twice its traffic. */
function weightOf({ count, named }: Candidate): number {
  return named ? count * 2 : count;
}
