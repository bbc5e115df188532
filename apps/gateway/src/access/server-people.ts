import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { Principal } from '#libs/identity';
import { routeKey, type RouteBinding } from '#libs/protocol';
import { FreshCache, type TenantOwned } from '../routing/fresh-cache.js';
import type { RoutedCall } from '../routing/route-table.js';

const PEOPLE_MAX = 20_000;
const NONE: ReadonlySet<string> = new Set();

interface Person extends TenantOwned {
  /** Slugs of servers that are open to others. */
  readonly closed: ReadonlySet<string>;
  /** Routes without those servers, by the key of the whole route. */
  readonly routes: Map<string, RouteBinding>;
}

/**
 * Knows which servers are closed to a person because their tenant opened them to others by name or group; forgotten when
 * that tenant's rows change. Nothing is looked up where a call's servers are open to everyone.
 */
export class ServerPeople {
  readonly #people: FreshCache<Person>;

  constructor(
    private readonly database: Database,
    hearing: () => boolean,
  ) {
    this.#people = new FreshCache({ entriesMax: PEOPLE_MAX, hearing });
  }

  /**
   * The call's route without the servers that are closed to its principal, and which those are.
   * @throws AppError forbidden at the URL of a server that is closed
   */
  async open(call: RoutedCall, principal: Principal): Promise<{ route: RouteBinding; closed: ReadonlySet<string> }> {
    const { tenant, route, target } = call;
    if (principal.kind !== 'person' || !tenant.servers.some(isNamed)) return { route, closed: NONE };
    const { closed, routes } = await this.#find(tenant.tenantId, principal.subject);
    if (target.serverSlug !== undefined && closed.has(target.serverSlug)) {
      throw new AppError('forbidden', {
        message: `Your organisation opened the server ${target.serverSlug} to others only. Ask its administrators.`,
      });
    }
    const narrowed = routes.get(route.key) ?? withoutServers(route, closed);
    routes.set(route.key, narrowed);
    return { route: narrowed, closed };
  }

  /** Forgets a tenant's people, or all with `*`. */
  forget(tenantId: string): void {
    this.#people.forget(tenantId);
  }

  async #find(tenantId: string, accountId: string): Promise<Person> {
    const load = async (): Promise<Person> => {
      const rows: Array<{ slug: string }> = await this.database.asTenant(tenantId, (tx) =>
        tx.query(CLOSED, [tenantId, accountId]),
      );
      return { tenantId, closed: new Set(rows.map(({ slug }) => slug)), routes: new Map() };
    };
    return (await this.#people.get(`${tenantId}|${accountId}`, load)) ?? load();
  }
}

const CLOSED = `
select s.slug from servers s where s.tenant_id = $1 and s.people = 'named' and not exists (
  select from server_people p join members m on m.tenant_id = p.tenant_id and m.account_id = $2::uuid
  where p.tenant_id = s.tenant_id and p.server_id = s.id
    and p.who = any(case p.kind when 'member' then array[m.account_id::text] else m.groups end))`;

function isNamed({ openTo }: { readonly openTo: 'everyone' | 'named' }): boolean {
  return openTo === 'named';
}

/** The same route without some servers. */
export function withoutServers(route: RouteBinding, closed: ReadonlySet<string>): RouteBinding {
  if (closed.size === 0) return route;
  const mounts = route.mounts.filter(({ serverSlug }) => !closed.has(serverSlug));
  if (mounts.length === route.mounts.length) return route;
  return { ...route, mounts, key: routeKey(route.tenantId, mounts, route.view) };
}
