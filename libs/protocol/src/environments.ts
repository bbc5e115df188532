import type { EgressContext } from './egress-context.js';
import type { Mount } from './messages.js';

/** The environment that a server's slug names, `{server}~{environment}`; undefined for production. */
export function environmentOf(serverSlug: string): string | undefined {
  return serverSlug.split('~', 2)[1];
}

/** The slug of the server whose environment a slug names; production's own is itself. */
export function productionSlugOf(serverSlug: string): string {
  return serverSlug.split('~', 1)[0] ?? serverSlug;
}

/** The name that a secret is stored under: those of an environment are apart from production's. */
export function storedSecretName(environment: string | undefined, name: string): string {
  return environment === undefined ? name : `${environment}~${name}`;
}

/** The environment and the name of a stored secret. */
export function secretPlaceOf(stored: string): { readonly environment: string | undefined; readonly name: string } {
  const [first = '', name] = stored.split('~', 2);
  return name === undefined ? { environment: undefined, name: first } : { environment: first, name };
}

const views = new WeakMap<EgressContext, Map<string, EgressContext>>();

/**
 * What egress may do for calls of these mounts: the secrets of their environment alone, and its hosts where it names
 * them. Production's context is the tenant's own; an environment without secrets has none, not production's.
 */
export function egressContextFor(
  context: EgressContext,
  mounts: ReadonlyArray<Pick<Mount, 'serverSlug'>>,
): EgressContext {
  const slug = mounts[0]?.serverSlug ?? '';
  const environment = environmentOf(slug);
  if (environment === undefined) return context;
  const ofContext = views.get(context) ?? new Map<string, EgressContext>();
  views.set(context, ofContext);
  const known = ofContext.get(slug);
  if (known !== undefined) return known;
  const { environments, ...shared } = context;
  const secrets = ownOf(environments, environment)?.secrets ?? {};
  const onlyHosts = ownOf(context.onlyHostsOf, slug);
  const view = { ...shared, secrets, ...(onlyHosts === undefined ? {} : { onlyHosts }) };
  ofContext.set(slug, view);
  return view;
}

/** What a record has under a name, and no object's own members: tenants choose these names. */
function ownOf<Value>(record: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
