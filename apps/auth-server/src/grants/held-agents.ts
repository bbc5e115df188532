import { AppError } from '#libs/errors';
import type { Database } from '#libs/database';
import type { HeldGrant, Holder } from './held-grant.js';

/** What one agent holds for a person at one URL, however often it signed in. */
export interface HeldAgent extends HeldGrant {
  /** How many sign-ins of it are alive. */
  readonly signIns: number;
}

/** One page of agents; `next` says where the one after starts. */
export interface AgentPage {
  readonly agents: readonly HeldAgent[];
  readonly next: string | null;
}

/** Which page is asked for. */
export interface AgentQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** The rows of one page at most. */
export const AGENTS_MAX = 200;

const CURSOR = /^(\d{1,18})\.([0-9a-f]{64})$/;

interface AgentRow extends Omit<HeldAgent, 'scope'> {
  readonly scopes: readonly string[];
  readonly micros: string;
}

/** What agents hold for a person, one row for each client and URL, last used first; `id` is that of its newest use. */
export async function listAgents(
  database: Database,
  { accountId, tenantId }: Holder,
  { limit, cursor }: AgentQuery,
): Promise<AgentPage> {
  const [, micros = null, id = null] = cursor === undefined ? [] : placeOf(cursor);
  const found = await database.everywhere((tx): Promise<AgentRow[]> =>
    tx.query(
      `select * from (
         select (array_agg(g.id order by g.last_used_at desc, g.id))[1] as id, g.tenant_id as "tenantId",
           t.name as "tenantName", g.account_id as "accountId", g.client_id as "clientId",
           (array_agg(g.client_name order by g.last_used_at desc, g.id))[1] as "clientName",
           (array_agg(g.redirect_host order by g.last_used_at desc, g.id))[1] as "redirectHost", g.resource,
           array_agg(distinct g.scope) as scopes, count(*)::integer as "signIns", min(g.created_at) as "createdAt",
           max(g.last_used_at) as "lastUsedAt", (extract(epoch from max(g.last_used_at)) * 1000000)::bigint as micros
         from grants g join tenants t on t.id = g.tenant_id
         where g.revoked_at is null and g.expires_at > now() and g.account_id = $1
           and ($2::uuid is null or g.tenant_id = $2)
         group by g.tenant_id, t.name, g.account_id, g.client_id, g.resource) agents
       where $3::bigint is null or micros < $3 or (micros = $3 and id > $4::text)
       order by micros desc, id limit $5`,
      [accountId, tenantId ?? null, micros, id, limit + 1],
    ),
  );
  const rows = found.flat().toSorted(byUse);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    agents: page.map(({ scopes, micros: _place, ...agent }) => ({ ...agent, scope: wordsOf(scopes).join(' ') })),
    next: more ? Buffer.from(`${last.micros}.${last.id}`).toString('base64url') : null,
  };
}

/** The page that a query string asks for. @throws AppError invalid_request */
export function agentQueryOf(query: URLSearchParams): AgentQuery {
  for (const name of query.keys()) {
    const known = name === 'limit' || name === 'cursor';
    if (!known || query.getAll(name).length > 1) throw invalid(`Send limit and cursor only, each once: ${name}.`);
  }
  const limit = query.get('limit') ?? String(AGENTS_MAX);
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > AGENTS_MAX) {
    throw invalid(`limit is a whole number from 1 to ${AGENTS_MAX}.`);
  }
  const cursor = query.get('cursor') ?? undefined;
  if (cursor !== undefined) placeOf(cursor);
  return { limit: Number(limit), cursor };
}

function placeOf(cursor: string): RegExpExecArray {
  const place = CURSOR.exec(cursor.length > 128 ? '' : Buffer.from(cursor, 'base64url').toString());
  if (place === null) throw invalid('The cursor is not one of this list.');
  return place;
}

function wordsOf(scopes: readonly string[]): string[] {
  return [...new Set(scopes.flatMap((scope) => scope.split(' ')))].toSorted();
}

function invalid(message: string): AppError {
  return new AppError('invalid_request', { message: message.slice(0, 200) });
}

/** The order of the query above, for pages of several databases. */
function byUse(left: AgentRow, right: AgentRow): number {
  const later = BigInt(right.micros) - BigInt(left.micros);
  if (later !== 0n) return later > 0n ? 1 : -1;
  return left.id < right.id ? -1 : Number(left.id > right.id);
}
