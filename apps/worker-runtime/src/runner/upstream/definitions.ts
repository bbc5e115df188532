import { canonicalJson, sha256Digest, type UpstreamPins } from '#libs/protocol';

/** A definition as an upstream lists it. */
export type Listed = Readonly<Record<string, unknown>>;

/** The kinds of definitions that a release pins. */
export type DefinitionKind = keyof UpstreamPins;

/** What of a definition decides what an agent is told, and so what was approved. */
const MEMBERS: Readonly<Record<DefinitionKind, readonly string[]>> = {
  tools: ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'],
  prompts: ['name', 'title', 'description', 'arguments'],
  resources: ['uri', 'name', 'title', 'description', 'mimeType'],
  resourceTemplates: ['uriTemplate', 'name', 'title', 'description', 'mimeType'],
};

/** What a definition is told apart by from others of its kind. */
export function identityOf(kind: DefinitionKind, definition: Listed): string {
  const [member = 'name'] = MEMBERS[kind];
  return String(definition[member]);
}

/** The canonical hash of a definition. */
export function definitionHash(kind: DefinitionKind, definition: Listed): string {
  const shown = MEMBERS[kind].flatMap((name) => (definition[name] === undefined ? [] : [[name, definition[name]]]));
  return sha256Digest(canonicalJson(Object.fromEntries(shown)));
}

/** The hashes of a list's definitions, by what tells them apart. */
export function pinsOf(kind: DefinitionKind, definitions: readonly Listed[]): Record<string, string> {
  return Object.fromEntries(
    definitions.map((definition) => [identityOf(kind, definition), definitionHash(kind, definition)]),
  );
}

/** How an upstream's definitions differ from those that were approved. */
export interface Drift {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** Compares what a release approved of with what its upstream lists now. */
export function driftOf(approved: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): Drift {
  const names = Object.keys(approved);
  return {
    changed: names.filter((name) => Object.hasOwn(now, name) && now[name] !== approved[name]),
    removed: names.filter((name) => !Object.hasOwn(now, name)),
    added: Object.keys(now).filter((name) => !Object.hasOwn(approved, name)),
  };
}
