import type { KnowledgeManifest, KnowledgeSettings, KnowledgeTool, Mount, Offers } from '#libs/protocol';

/** The documents of one server as a route serves them. */
export interface MountedKnowledge {
  readonly kind: 'knowledge';
  readonly serverSlug: string;
  readonly settings: KnowledgeSettings;
  /** Before the names of prompts, of which it has none. */
  readonly prefix: string;
  readonly offers: Offers;
}

/** A tool of a knowledge server. */
export interface KnowledgeRun {
  readonly kind: 'knowledge';
  readonly mounted: MountedKnowledge;
  readonly does: KnowledgeTool;
}

const OFFERS: Offers = { resources: { subscribe: true }, completions: {} };

/** A knowledge release at its place in a route. */
export function mountedKnowledge({ serverSlug, prefix }: Mount, { knowledge }: KnowledgeManifest): MountedKnowledge {
  return { kind: 'knowledge', serverSlug, settings: knowledge, prefix, offers: OFFERS };
}

/** The names of the collections that a release shows; undefined where it shows all. */
export function shownCollections({ collections }: KnowledgeSettings): { readonly collections?: string[] } {
  return collections === undefined ? {} : { collections: collections.map(({ name }) => name) };
}

/** Whether a release shows a collection. */
export function shows({ collections }: KnowledgeSettings, collection: string): boolean {
  return collections === undefined || collections.some(({ name }) => name === collection);
}
