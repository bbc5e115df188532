import { NAMES, namesFrom, strangersAmong } from './catalogue/catalogue.js';
import { IN_CI } from './catalogue/in-ci.js';

/** What a run is asked to do. */
export interface Options {
  /** What it brings about. */
  readonly names: readonly string[];
  /** It begins nothing after so many. */
  readonly minutes: number;
  /** How many more than a fault may cost may fail of calls and sessions, where any may, and of requests of the API. */
  readonly slack: number;
  /** What may be left out where this machine cannot bring it about. */
  readonly maySkip: readonly string[];
}

export const USAGE = `npm run faults -- [minutes N] [ci | only NAME …] [slack N] [may-skip NAME …]

Breaks what the platform stands on, one thing after the other, under the calls of real MCP clients, and prints what came of each.

  minutes N        begins nothing after so many; what was not begun has failed, or was to be left out
  ci               what CI breaks
  only NAME …      what has a name that begins so
  slack N          for a machine that others use too: so many more calls may fail in each row that lets any fail,
                   and requests of the API in each
  may-skip NAME …  what has a name that begins so may be left out where this machine cannot do it (small disks take root), or in time
  list             prints the names

Exit status: 0 all was brought about and kept its promises, 1 not, 2 the words above were not understood.
`;

const WORDS: readonly string[] = ['minutes', 'ci', 'only', 'slack', 'may-skip'];

/** A text to print and an exit status, in place of a run. */
interface Told {
  readonly text: string;
  readonly status: number;
}

/** Reads the words behind `npm run faults --`: what to run, or what to say instead. */
export function optionsFrom(given: readonly string[]): Options | Told {
  if (given.some((word) => ['--help', '-h', 'help'].includes(word))) return { text: USAGE, status: 0 };
  if (given.length === 1 && given[0] === 'list') return { text: `${NAMES.join('\n')}\n`, status: 0 };
  const asked = new Map<string, string[]>();
  let behind: string[] | undefined;
  for (const word of given) {
    if (!WORDS.includes(word)) {
      if (behind === undefined) return refused(`"${word}" is none of the words that are known.`);
      behind.push(word);
      continue;
    }
    if (asked.has(word)) return refused(`"${word}" is there twice.`);
    behind = [];
    asked.set(word, behind);
  }
  const problem = problemWith(asked);
  if (problem !== undefined) return refused(problem);
  const only = asked.has('ci') ? IN_CI : asked.get('only');
  return {
    names: only === undefined ? NAMES : namesFrom(only),
    minutes: Number(asked.get('minutes')?.[0] ?? Infinity),
    slack: Number(asked.get('slack')?.[0] ?? 0),
    maySkip: namesFrom(asked.get('may-skip') ?? []),
  };
}

function refused(why: string): Told {
  return { text: `${why}\n\n${USAGE}`, status: 2 };
}

function problemWith(asked: ReadonlyMap<string, readonly string[]>): string | undefined {
  for (const word of ['minutes', 'slack']) {
    const numbers = asked.get(word);
    if (numbers !== undefined && !(numbers.length === 1 && Number(numbers[0]) > 0))
      return `"${word}" wants one number that is more than 0 behind it.`;
  }
  if (asked.has('ci') && asked.has('only')) return '"ci" and "only" both say what to break: give one of them.';
  if ((asked.get('ci') ?? []).length > 0) return '"ci" takes no names.';
  for (const word of ['only', 'may-skip']) {
    const names = asked.get(word);
    if (names === undefined) continue;
    if (names.length === 0) return `"${word}" wants names behind it; "list" prints them.`;
    const strangers = strangersAmong(names);
    if (strangers.length > 0) return `No fault has a name that begins so: ${strangers.join(', ')}; "list" prints them.`;
  }
  return undefined;
}
