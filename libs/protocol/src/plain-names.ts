import { fitName } from './fit-name.js';
import type { Mount } from './messages.js';
import { shownNames } from './tool-view.js';

/** Most characters of a tool's name in every major client, their own prefix counted. */
export const CLIENT_NAME_MAX = 64;
/** However long a client's prefix is, so much is left for a name. */
const NAME_MAX_LEAST = 32;

/** How long a name may be: what a client's limit leaves behind `mcp__{name}__`, which clients put before names. */
export function nameMaxBehind(clientName: string): number {
  return Math.max(NAME_MAX_LEAST, CLIENT_NAME_MAX - `mcp__${clientName}__`.length);
}

/** What the tools of a route without a profile are called. */
export interface PlainNames {
  /** Full name → the name in the list. */
  readonly shown: ReadonlyMap<string, string>;
  /** Another name that a tool answers to → its full name: none of these is any tool's name in the list. */
  readonly also: ReadonlyMap<string, string>;
}

/**
 * Names at URLs without a profile: those that are too long get aliases, as in a profile, and are answered to under both.
 * The same for the same tools, in whatever order they come.
 */
export function plainNames(mounts: ReadonlyArray<Pick<Mount, 'nameMax'>>, fullNames: readonly string[]): PlainNames {
  const nameMax = mounts[0]?.nameMax;
  const view = { kind: 'view', exclude: [], renames: {}, nameMax: nameMax ?? CLIENT_NAME_MAX } as const;
  const shown = nameMax === undefined ? fitted(fullNames) : shownNames(view, fullNames);
  const taken = new Set(shown.values());
  const also = new Map<string, string>();
  const others = nameMax === undefined ? [] : fullNames.toSorted();
  for (const full of others)
    for (const name of [full, fitName(full)]) if (!taken.has(name) && !also.has(name)) also.set(name, full);
  return { shown, also };
}

function fitted(fullNames: readonly string[]): Map<string, string> {
  return new Map(fullNames.map((full) => [full, fitName(full)]));
}
