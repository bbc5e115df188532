import { HIDDEN_CHARACTER, nameOfCharacter } from '#libs/protocol';
import type { Problems } from './problems.js';
import { at } from './problems.js';

const EVERY_HIDDEN = new RegExp(HIDDEN_CHARACTER, 'gu');

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

/** A text of somebody else's document without characters that a person cannot see, and no longer than it may be. */
export function visibleText(text: string, charactersMax: number): string {
  const visible = text.replace(EVERY_HIDDEN, '').toWellFormed().trim();
  return visible.length <= charactersMax ? visible : `${visible.slice(0, charactersMax - 1).toWellFormed()}…`;
}
