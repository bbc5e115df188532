import { LRUCache } from 'lru-cache';
import type { Database } from '#libs/database';
import { canonicalJson, plainNames, sha256Digest, shownNames, type RouteBinding } from '#libs/protocol';
import { findRouteTools } from '../routing/route-tools.js';

const ROUTES_MAX = 10_000;

/** Which of a URL's lists are others. */
export interface ListDifference {
  readonly tools: boolean;
  /** Prompts and resources. */
  readonly offers: boolean;
}

interface Prints {
  readonly tools: string;
  readonly offers: string;
}

/** Tells whether two routes show the same lists, whatever their releases are. What a route shows never changes. */
export class ListPrints {
  readonly #prints = new LRUCache<string, Prints>({ max: ROUTES_MAX });

  constructor(private readonly database: Database) {}

  /** What differs; everything, where one of them cannot be read any more. */
  async difference(before: RouteBinding, after: RouteBinding): Promise<ListDifference> {
    try {
      const [old, now] = await Promise.all([this.#printsOf(before), this.#printsOf(after)]);
      return { tools: old.tools !== now.tools, offers: old.offers !== now.offers };
    } catch {
      return { tools: true, offers: true };
    }
  }

  async #printsOf(route: RouteBinding): Promise<Prints> {
    const known = this.#prints.get(route.key);
    if (known !== undefined) return known;
    const prints = await this.#read(route);
    this.#prints.set(route.key, prints);
    return prints;
  }

  async #read(route: RouteBinding): Promise<Prints> {
    const { view, tools, offersMore } = await findRouteTools(this.database, route);
    const full = tools.map((tool) => tool.full);
    const names = view === undefined ? plainNames(route.mounts, full).shown : shownNames(view, full);
    const readOnly = new Set(route.mounts.flatMap(({ serverSlug, only }) => (only === 'read' ? [serverSlug] : [])));
    const listed = tools.flatMap((tool) => {
      const { digest, access, serverSlug } = tool;
      const shown = names.get(tool.full);
      return shown === undefined || (access === 'write' && readOnly.has(serverSlug)) ? [] : [[shown, digest]];
    });
    const others = offersMore ? route.mounts.map(({ serverSlug, digest }) => [serverSlug, digest]) : [];
    const filters = [view?.prompts ?? null, view?.resources ?? null];
    return {
      tools: view?.search === true ? 'search mode' : sha256Digest(canonicalJson(listed)),
      offers: sha256Digest(canonicalJson([others, offersMore ? filters : []])),
    };
  }
}
