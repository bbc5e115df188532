import type { Mount, Offers } from '#libs/protocol';

/** The results of a server's tools that are kept for those who called them. */
export interface MountedResults {
  readonly kind: 'results';
  readonly serverSlug: string;
  readonly prefix: string;
  readonly offers: Offers;
}

/** They are read, and neither listed nor subscribed to. */
const OFFERS: Offers = { resources: { subscribe: false } };

/** The results of a release of an API at its place in a route. */
export function mountedResults({ serverSlug, prefix }: Mount): MountedResults {
  return { kind: 'results', serverSlug, prefix, offers: OFFERS };
}
