import type { Route, RouteAccess } from '../contract/route-registry.js';

/** A route as it is documented; some are for whoever a token speaks for, with no permission asked. */
export type DocumentedRoute = Omit<Route, 'access'> & { readonly access: RouteAccess | { readonly kind: 'person' } };
