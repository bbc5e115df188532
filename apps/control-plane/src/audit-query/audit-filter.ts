import { PERSONALLY_NAMED_METHOD, type ShownRecord } from '#libs/audit';
import { firstIdAt } from '#libs/database';
import type { InputOf } from '../contract/contract.js';
import type { queryAudit } from './audit-query.schema.js';

/** What a reader looks for; what is absent does not narrow. */
export type AuditFilter = Omit<InputOf<typeof queryAudit>['query'], 'limit' | 'cursor'>;

/** Conditions in SQL. Those on columns lead to records by an index; those on members look at each record. */
export interface Conditions {
  readonly ofColumns: string;
  readonly ofMembers: string;
  readonly values: unknown[];
}

/** Details that are looked for between two numbers. */
const MEASURES = ['duration_ms', 'queue_ms', 'worker_ms', 'upstream_ms', 'bytes_in', 'bytes_out'] as const;
/**
 * Whether a record names a tool or a prompt, with its server's prefix or without. On the tenant's own URL they are called
 * `{server}__{name}`, and what was refused or was a prompt names no server beside it; no slug holds an underscore.
 */
const NAMES_TOOL = `(details ->> 'name' in (%::text, (details ->> 'server') || '__' || %::text)
  or (details ->> 'server') || '__' || (details ->> 'name') = %::text
  or (details ->> 'server' is null and details ->> 'method' in ('tools/call', 'prompts/get')
    and strpos(details ->> 'name', '__') > 0 and substr(details ->> 'name', strpos(details ->> 'name', '__') + 2) = %::text))`;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** What of a filter can be said in SQL; `$1` is the tenant. */
export function conditionsOf(tenantId: string, filter: AuditFilter): Conditions {
  const values: unknown[] = [tenantId];
  const columns = ['tenant_id = $1'];
  const members: string[] = [];
  const narrow = (conditions: string[], condition: string, value: unknown): void => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition.replaceAll('%', `$${values.length}`));
  };
  narrow(columns, 'event = %', filter.event);
  narrow(columns, 'target = %', filter.target);
  // Only what calls are never made to: the index leaves calls out.
  if (filter.target !== undefined && !/^(server|tenant):/.test(filter.target))
    narrow(columns, 'event <> %', 'call.completed');
  narrow(columns, 'at >= %', filter.from);
  narrow(columns, 'at < %', filter.to);
  // An id holds the time of its record, give or take a clock; by it the months that cannot match are left out.
  narrow(columns, 'id >= %', filter.from && firstIdAt(new Date(Date.parse(filter.from) - DAY_MS)));
  narrow(columns, 'id < %', filter.to && firstIdAt(new Date(Date.parse(filter.to) + DAY_MS)));
  const { kind, id } = actorOf(filter.actor);
  narrow(members, `actor ->> 'kind' = %`, kind);
  narrow(members, `actor ->> 'id' = %`, id);
  narrow(members, `actor ->> 'kind' = %`, filter.actor_kind);
  narrow(members, `actor ->> 'client' = %`, filter.client);
  narrow(members, `jsonb_exists(actor -> 'acting', %)`, filter.acting);
  narrow(members, 'outcome = %', filter.outcome);
  narrow(members, 'trace_id = %', filter.trace_id);
  narrowByDetails(filter, (condition, value) => narrow(members, condition, value));
  return { ofColumns: columns.join(' and '), ofMembers: ['true', ...members].join(' and '), values };
}

function narrowByDetails(filter: AuditFilter, narrow: (condition: string, value: unknown) => void): void {
  narrow(`details ->> 'server' = %`, filter.server);
  const mayBeSealed = `(personal is not null and details ->> 'method' = '${PERSONALLY_NAMED_METHOD}')`;
  narrow(isUri(filter.tool) ? `(${NAMES_TOOL} or ${mayBeSealed})` : NAMES_TOOL, filter.tool);
  narrow(`details ->> 'method' = %`, filter.method);
  narrow(`details ->> 'era' = %`, filter.era);
  narrow(`details ->> 'rule' = %`, filter.rule);
  narrow(`details -> 'http_status' = to_jsonb(%::int)`, filter.http_status);
  narrow(`details -> 'rpc_code' = to_jsonb(%::int)`, filter.rpc_code);
  for (const measure of MEASURES) {
    // Compared as JSON, in which a text is not a number.
    const compared = (sign: string) =>
      `jsonb_typeof(details -> '${measure}') = 'number' and details -> '${measure}' ${sign} to_jsonb(%::bigint)`;
    narrow(compared('>='), filter[`${measure}_min`]);
    narrow(compared('<='), filter[`${measure}_max`]);
  }
  narrow(
    `(jsonb_path_exists(details, '$.release ? (@.id == $r || @.digest == $r)', jsonb_build_object('r', %::text))
      or jsonb_path_exists(details, '$.releases[*] ? (@.id == $r || @.digest == $r)', jsonb_build_object('r', %::text))
      or details ->> 'release' = % or target = 'release:' || %)`,
    filter.release,
  );
  // What is about a person is sealed: these are looked at once they are open.
  narrow(`(source_address = % or personal is not null)`, filter.source_address);
  narrow(`(details ->> 'arguments_digest' = % or personal is not null)`, filter.arguments_digest);
}

/** Whether a filter asks for what may be sealed. */
export function asksForSealed({ source_address: address, arguments_digest: digest, tool }: AuditFilter): boolean {
  return address !== undefined || digest !== undefined || isUri(tool);
}

/** Whether an opened record is what a filter asks for of what may be sealed. */
export function isAskedFor(filter: AuditFilter, shown: ShownRecord): boolean {
  const { source_address: address, arguments_digest: digest, tool } = filter;
  const isNamed = !isUri(tool) || shown.details['method'] !== PERSONALLY_NAMED_METHOD;
  return (
    (isNamed || shown.details['name'] === tool) &&
    (address === undefined || shown.source_address === address) &&
    (digest === undefined || shown.details['arguments_digest'] === digest)
  );
}

/** Resources are named by URIs, and nothing else is (RFC 3986, section 3: each has a scheme). */
function isUri(name: string | undefined): boolean {
  return name?.includes(':') === true;
}

/** `{id}` or `{kind}:{id}`. */
function actorOf(text: string | undefined): { readonly kind?: string; readonly id?: string } {
  if (text === undefined) return {};
  const [kind, id] = text.split(':', 2);
  return id === undefined || kind === undefined ? { id: text } : { kind, id };
}
