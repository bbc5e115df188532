import { AppError, type Problem } from '#libs/errors';
import { DOCUMENT_BYTES_MAX, HIDDEN_CHARACTER, nameOfCharacter } from '#libs/protocol';
import type { DocumentWords } from './document-row.js';

const HIDDEN_SOMEWHERE = new RegExp(HIDDEN_CHARACTER, 'gu');
/** What stands before a joiner where it shapes what is seen: in emoji, and in scripts whose letters join. */
const JOINED =
  /[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}]$/u;
const JOINERS = new Set(['\u200C', '\u200D']);

/**
 * What keeps a document from being saved: too much text, and characters that a person does not see but a model reads.
 * Pointers begin with `at`.
 */
export function documentProblems(words: Partial<DocumentWords>, at = ''): Problem[] {
  const { title, text } = words;
  return [
    ...(title === undefined ? [] : hiddenIn(title, `${at}/title`)),
    ...(text === undefined ? [] : [...sizeOf(text, `${at}/text`), ...hiddenIn(text, `${at}/text`)]),
  ];
}

/** @throws AppError `unprocessable` with every problem */
export function requireSound(words: Partial<DocumentWords>): void {
  const problems = documentProblems(words);
  if (problems.length === 0) return;
  const [first] = problems;
  throw new AppError('unprocessable', { message: `This document cannot be saved. ${first?.message ?? ''}`, problems });
}

function sizeOf(text: string, pointer: string): Problem[] {
  if (text.trim() === '') return [{ pointer, message: 'The text is empty. Write what the document says.' }];
  const bytes = Buffer.byteLength(text);
  if (bytes <= DOCUMENT_BYTES_MAX) return [];
  const message = `The text has ${bytes} bytes; a document has at most ${DOCUMENT_BYTES_MAX}. Make several of it.`;
  return [{ pointer, message }];
}

function hiddenIn(text: string, pointer: string): Problem[] {
  if (!text.isWellFormed())
    return [{ pointer, message: 'This is not well-formed Unicode: half of a surrogate pair stands alone. Remove it.' }];
  for (const { 0: character, index } of text.matchAll(HIDDEN_SOMEWHERE)) {
    if (JOINERS.has(character) && JOINED.test(text.slice(Math.max(0, index - 2), index))) continue;
    const line = text.slice(0, index).split('\n').length;
    const place = `line ${line}, character ${index - text.lastIndexOf('\n', index - 1)}`;
    const message = `There is the invisible character ${nameOfCharacter(character)} (${place}), which could hide instructions. Remove it.`;
    return [{ pointer, message }];
  }
  return [];
}
