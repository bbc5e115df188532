import { HIDDEN_CHARACTER, nameOfCharacter } from '#libs/protocol';
import type { Problems } from './problems.js';
import { at } from './problems.js';

/** Notes a problem when a text holds a character that a person cannot see. */
export function refuseHidden(problems: Problems, pointer: string, text: string): void {
  const found = HIDDEN_CHARACTER.exec(text)?.[0];
  if (found === undefined) return;
  problems.add(
    pointer,
    `This holds the invisible character ${nameOfCharacter(found)}, which could hide instructions. Remove it.`,
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

/** A text of somebody else's document, no longer than it may be; hidden characters in it are noted as a problem. */
export function shownText(problems: Problems, pointer: string, given: unknown, charactersMax: number): string {
  if (typeof given !== 'string') return '';
  refuseHidden(problems, pointer, given);
  const text = given.toWellFormed().trim();
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1).toWellFormed()}…`;
}
