import { newId } from '#libs/database';
import type { AuditEvent, DetailsOf } from './events.js';
import type { AuditOutcome } from './outcomes.js';
import { storableJson } from './stored/storable.js';

/** Who did it. */
export type AuditActor =
  | {
      readonly kind: 'person';
      readonly id: string;
      readonly client?: string;
      /** Ids of the clients that act for the person, the present one first. */
      readonly acting?: readonly string[];
    }
  | { readonly kind: 'client'; readonly id: string }
  | { readonly kind: 'api-key'; readonly id: string }
  | { readonly kind: 'operator'; readonly id: string }
  | { readonly kind: 'system'; readonly id: string }
  | { readonly kind: 'anonymous' };

/** What every entry says, whatever its event. */
interface CommonEntry {
  /** Defaults to a new id; calls bring their own, so that a replayed spool writes each once. */
  readonly id?: string;
  /** Defaults to now. */
  readonly at?: Date;
  readonly actor: AuditActor;
  /** What it was done to: `{type}:{id}`, for example `release:0190…`. */
  readonly target: string;
  readonly outcome: AuditOutcome;
  readonly sourceAddress?: string | undefined;
  readonly traceId?: string | undefined;
}

/** An event with its details, which may be left out where none is needed. */
export type EventDetails<Event extends AuditEvent = AuditEvent> = Event extends AuditEvent
  ? { readonly event: Event } & (Record<never, never> extends DetailsOf<Event>
      ? { readonly details?: DetailsOf<Event> }
      : { readonly details: DetailsOf<Event> })
  : never;

/** One entry of a tenant's audit log, as its writer gives it. */
export type AuditEntry<Event extends AuditEvent = AuditEvent> = CommonEntry & EventDetails<Event>;

/**
 * Appends entries to the tenant of the transaction, in the transaction; an id that is there already is left as it is, and
 * characters that PostgreSQL does not keep become U+FFFD.
 */
export async function appendAudit(
  tx: { query(sql: string, values?: unknown[]): Promise<unknown> },
  tenantId: string,
  entries: readonly AuditEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map((entry) => ({
    id: entry.id ?? newId(),
    at: (entry.at ?? new Date()).toISOString(),
    event: entry.event,
    actor: entry.actor,
    target: entry.target,
    outcome: entry.outcome,
    details: entry.details ?? {},
    source_address: entry.sourceAddress ?? null,
    trace_id: entry.traceId ?? null,
  }));
  await tx.query(
    `insert into audit_records (tenant_id, id, at, event, actor, target, outcome, details, source_address, trace_id)
     select $1, r.id, r.at, r.event, r.actor, r.target, r.outcome, r.details, r.source_address, r.trace_id
     from jsonb_to_recordset($2::jsonb) as r(id uuid, at timestamptz, event text, actor jsonb, target text,
       outcome text, details jsonb, source_address text, trace_id text)
     on conflict (tenant_id, id) do nothing`,
    [tenantId, storableJson(rows)],
  );
}
