import type { Placement } from '#libs/protocol';
import { withHash } from '#libs/protocol';
import type { Schema } from './schema.js';

/** One argument of a tool: its schema and where it goes. */
export interface Argument {
  readonly schema: Schema;
  readonly required: boolean;
  readonly placement: Placement;
}

/** An argument before its name is settled. */
export type ArgumentDraft = Omit<Argument, 'placement'> & { readonly placement: Omit<Placement, 'argument'> };

const NAME_CHARACTERS_MAX = 64;
const UNNAMED = 'body';

/**
 * Arguments by name. A name has the characters every client accepts; where several places want the same one, the first
 * keeps it and the others are named after their place (`query_id`).
 */
export function nameArguments(drafts: readonly ArgumentDraft[]): Map<string, Argument> {
  const named = new Map<string, Argument>();
  for (const { placement, ...draft } of drafts) {
    const argument = unusedName(placement, named);
    named.set(argument, { ...draft, placement: { argument, ...placement } });
  }
  return named;
}

function unusedName({ in: place, name }: ArgumentDraft['placement'], taken: ReadonlyMap<string, unknown>): string {
  const plain = cleaned(name) || (place === 'body' ? UNNAMED : place);
  if (!taken.has(plain)) return plain;
  const placed = cleaned(`${place}_${plain}`);
  return taken.has(placed) ? withHash(placed, `${place} ${name}`) : placed;
}

/** `filter[name]` → `filter_name`. */
function cleaned(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9_.-]+/g, '_').replace(/^_+|(?<=[^_])_+$/g, '');
  return clean.length <= NAME_CHARACTERS_MAX ? clean : withHash(clean, name);
}
