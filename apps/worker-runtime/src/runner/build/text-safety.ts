import type { Problems } from './problems.js';
import { at } from './problems.js';

/**
 * Characters that a person does not see but a model reads (OWASP MCP03, tool poisoning): zero-width and other invisible
 * format characters, bidirectional controls, tag characters, variation selectors that carry data, control characters.
 */
const HIDDEN = new RegExp(
  '[\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B-\\u200F\\u2028-\\u202E\\u2060-\\u206F\\uFEFF\\uFFF9-\\uFFFB\\u{E0000}-\\u{E01EF}]',
  'u',
);

const EVERY_HIDDEN = new RegExp(HIDDEN, 'gu');

/** Notes a problem when a text holds a character that a person cannot see. */
export function refuseHidden(problems: Problems, pointer: string, text: string): void {
  const found = HIDDEN.exec(text)?.[0]?.codePointAt(0);
  if (found === undefined) return;
  problems.add(
    pointer,
    `This holds the invisible character U+${found.toString(16).toUpperCase().padStart(4, '0')}, which could hide instructions. Remove it.`,
  );
}

/** The same for every text and name inside a value, which must be bounded in depth. */
export function refuseHiddenWithin(problems: Problems, pointer: string, value: unknown): void {
  if (typeof value === 'string') refuseHidden(problems, pointer, value);
  if (typeof value !== 'object' || value === null) return;
  for (const [name, child] of Object.entries(value)) {
    const place = at(pointer, name);
    refuseHidden(problems, place, name);
    refuseHiddenWithin(problems, place, child);
  }
}

/** A text of somebody else's document without characters that a person cannot see, and no longer than it may be. */
export function visibleText(text: string, charactersMax: number): string {
  const visible = text.replace(EVERY_HIDDEN, '').toWellFormed().trim();
  return visible.length <= charactersMax ? visible : `${visible.slice(0, charactersMax - 1).toWellFormed()}…`;
}
