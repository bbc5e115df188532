import MiniSearch from 'minisearch';

/** What is searched of a tool. */
export interface SearchedTool {
  readonly id: string;
  readonly name: string;
  readonly summary: string;
  readonly about: string;
}

const STOP_WORDS = new Set(
  `a an and all any are as at be by for from how i in into is it its me my of on or our that the their this to want with
  you your`.split(/\s+/),
);
const RANKED_MAX = 100;
/** Shorter words are not taken for beginnings of others, nor for others misspelled. */
const PREFIX_CHARACTERS_MIN = 4;
const FUZZY_CHARACTERS_MIN = 5;
/** How much it counts that a tool's summary is what was asked and nothing else. */
const LIKENESS_WEIGHT = 2;

/** Tools by how well they fit a few words: BM25, and above that, how near their summary comes to the question. */
export class Ranking {
  readonly #index: MiniSearch<SearchedTool>;
  readonly #summaries: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(tools: readonly SearchedTool[]) {
    this.#index = new MiniSearch({
      fields: ['name', 'summary', 'about'],
      tokenize: partsOf,
      processTerm: wordOf,
      searchOptions: {
        boost: { name: 2, summary: 3 },
        prefix: (word) => word.length >= PREFIX_CHARACTERS_MIN,
        fuzzy: (word) => (word.length >= FUZZY_CHARACTERS_MIN ? 0.15 : false),
        weights: { prefix: 0.4, fuzzy: 0.2 },
      },
    });
    this.#index.addAll(tools);
    this.#summaries = new Map(tools.map(({ id, summary }) => [id, wordsOf(summary)]));
  }

  /** The names of the tools that fit best, at most so many. */
  find(query: string, limit: number): string[] {
    const asked = wordsOf(query);
    return this.#index
      .search(query)
      .slice(0, RANKED_MAX)
      .map(({ id, score }) => ({
        id: String(id),
        score: score * (1 + LIKENESS_WEIGHT * this.#likeness(String(id), asked)),
      }))
      .sort((left, right) => right.score - left.score || (left.id < right.id ? -1 : 1))
      .slice(0, limit)
      .map(({ id }) => id);
  }

  #likeness(id: string, asked: ReadonlySet<string>): number {
    const summary = this.#summaries.get(id) ?? new Set();
    const shared = [...asked].filter((word) => summary.has(word)).length;
    return shared === 0 ? 0 : shared / (asked.size + summary.size - shared);
  }
}

function partsOf(text: string): string[] {
  return text.split(/[^\p{L}\p{N}]+/u);
}

/** A word as it is compared: in small letters, without the `s` of a plural; nothing for words that say nothing. */
function wordOf(part: string): string | null {
  const word = part.toLowerCase();
  if (word === '' || STOP_WORDS.has(word)) return null;
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(partsOf(text).flatMap((part) => wordOf(part) ?? []));
}
