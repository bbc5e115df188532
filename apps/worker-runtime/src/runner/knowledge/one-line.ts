import { LINE } from '#libs/protocol';

/** A text to search by, on one line: line breaks and the like find nothing. */
export function oneLine(text: string): string {
  return LINE.test(text) ? text : text.toWellFormed().replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
