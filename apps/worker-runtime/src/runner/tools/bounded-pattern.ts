import { RE2JS } from 're2js';

/** What a compiled schema asks of a `pattern`. */
export interface Pattern {
  test(text: string): boolean;
  /** The pattern itself, which the schema's engine tells patterns apart by. */
  toString(): string;
}

const ATOM = String.raw`(?:[^\\^$.|?*+()[\]{}]|\\[dDwWsS.\\/^$|?*+()[\]{}-]|\[(?:[^\]\\]|\\.)+\]|\.)`;
const COUNTED = String.raw`${ATOM}(?:\{\d{1,3}\})?`;
/** Begins at the start, has no group, no choice and one part of open length at most: nothing to go back for. */
const PLAIN = new RegExp(String.raw`^\^(?:${COUNTED})*(?:${ATOM}(?:[*+?]|\{\d{1,4},\d{0,4}\}))?(?:${COUNTED})*\$?$`);
const PLAIN_CHARACTERS_MAX = 200;

/**
 * A `pattern` that answers in a time which grows with the text and no faster. The engine of JavaScript goes back over what it
 * has read (`^(a+)+$` takes forty letters for minutes), and a worker that is busy with one call is ended with the sessions
 * of everybody at that server; so all but the plainest patterns are left to RE2's algorithm. What that cannot do at all,
 * looking ahead or behind, naming an earlier group, more than a thousand repetitions of a group, is not checked: the upstream does.
 * @throws SyntaxError what ECMA-262 does not read either
 */
export function boundedPattern(pattern: string): Pattern {
  const native = tolerantPattern(pattern);
  if (pattern.length <= PLAIN_CHARACTERS_MAX && PLAIN.test(pattern)) return native;
  const linear = linearPattern(pattern);
  return {
    test: (text) => linear === undefined || linear.matcher(text).find(),
    toString: () => pattern,
  };
}

function linearPattern(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern));
  } catch {
    return undefined;
  }
}

/** A `pattern` as ECMA-262 with Unicode reads it, or without, which many published schemas need. @throws SyntaxError */
export function tolerantPattern(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return new RegExp(pattern);
  }
}
