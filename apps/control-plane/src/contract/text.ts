import { z } from 'zod';

/** What is seen or takes room. */
const SEEN = String.raw`[^\p{Cc}\p{Cf}\p{Cs}\p{Z}]`;
/** U+200C and U+200D, which join and part letters of Persian and of India’s scripts, and make families of emoji. */
const JOINER = String.raw`[\u200c\u200d]`;
const LINE = new RegExp(String.raw`^(?:(?:${SEEN}${JOINER})*${SEEN}|\p{Zs})*$`, 'u');
/** Between two characters of ASCII a joiner shows nothing, and makes another name that looks alike. */
const UNSEEN = new RegExp(String.raw`[\x00-\x7f]${JOINER}[\x00-\x7f]`, 'u');

const LINE_WANTED = 'one line of text without control or invisible characters';

/** One line of text for people: no control, direction-changing or broken characters, no blank ends. */
export function lineOfText(max: number): z.ZodString {
  return z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(LINE, LINE_WANTED)
    .refine((text) => !UNSEEN.test(text), LINE_WANTED);
}

/** Text to look something up by. */
export function searchText(max: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'text without control characters');
}
