import { z } from 'zod';
import { AUDIT_EVENTS, type AuditActor, type AuditEntry, type AuditOutcome, type DetailsOf } from '#libs/audit';
import { newId } from '#libs/database';
import type { AppError } from '#libs/errors';

/** What the gateway records. */
type SpooledEvent = 'call.completed' | 'call.refused' | 'call.denied' | 'call.withheld' | 'api_key.used' | 'audit.gap';

/** An audit entry of one tenant, complete but for its outcome. */
export interface SpooledEntry {
  readonly tenantId: string;
  readonly event: SpooledEvent;
  readonly actor: AuditActor;
  readonly target: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly sourceAddress?: string | undefined;
  readonly traceId?: string | undefined;
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
}

/** How an intent ended. */
export interface SpooledOutcome {
  readonly outcome: AuditOutcome;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A call whose intent is recorded; ends once. */
export interface OpenRecord {
  /**
   * Records how it ended; settles when the reply may leave: when the end of this process cannot lose the outcome, or, in
   * the `database` mode, when it is committed. Settles with the error to answer instead when that was not in time; then
   * `withheld` tells how it ended for the caller, and that is what is recorded later.
   */
  end(ended: SpooledOutcome, withheld?: (error: AppError) => SpooledOutcome): Promise<AppError | undefined>;
}

/**
 * A line of the spool: the intent of a call, the outcome of an earlier intent, or an entry that is complete at once.
 * Lines hold names and times, never arguments or results.
 */
export type SpoolLine =
  | { readonly t: 'intent'; readonly entry: SpooledEntry }
  | ({ readonly t: 'outcome'; readonly id: string } & SpooledOutcome)
  | ({ readonly t: 'entry'; readonly entry: SpooledEntry } & SpooledOutcome);

const actorSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('person'),
    id: z.string(),
    client: z.string().optional(),
    acting: z.array(z.string()).optional(),
  }),
  z.object({ kind: z.literal('client'), id: z.string() }),
  z.object({ kind: z.literal('api-key'), id: z.string() }),
  z.object({ kind: z.literal('operator'), id: z.string() }),
  z.object({ kind: z.literal('system'), id: z.string() }),
  z.object({ kind: z.literal('anonymous') }),
]);

// What a version before or after this one wrote is not lost for one word.
const outcomeSchema = z.custom<AuditOutcome>((outcome) => typeof outcome === 'string');

const detailsSchema = z.record(z.string(), z.unknown());

const entrySchema = z.object({
  tenantId: z.uuid(),
  id: z.uuid(),
  at: z.iso.datetime(),
  event: z.custom<SpooledEvent>((event) => typeof event === 'string' && Object.hasOwn(AUDIT_EVENTS, event)),
  actor: actorSchema,
  target: z.string(),
  details: detailsSchema.optional(),
  sourceAddress: z.string().optional(),
  traceId: z.string().optional(),
});

const lineSchema = z.discriminatedUnion('t', [
  z.object({ t: z.literal('intent'), entry: entrySchema }),
  z.object({ t: z.literal('outcome'), id: z.string(), outcome: outcomeSchema, details: detailsSchema }),
  z.object({ t: z.literal('entry'), entry: entrySchema, outcome: outcomeSchema, details: detailsSchema }),
]);

/** A line as a crash may have left it; undefined where it is cut off or not ours. */
export function parseSpoolLine(text: string): SpoolLine | undefined {
  try {
    return lineSchema.parse(JSON.parse(text)) as SpoolLine; // optional members may be absent, never undefined, in JSON
  } catch {
    return undefined;
  }
}

/** What the database keeps of an entry and its outcome. */
export function toAuditEntry(entry: SpooledEntry, ended: SpooledOutcome): AuditEntry {
  const { id, at, event, actor, target, details, sourceAddress, traceId } = entry;
  const { outcome } = ended;
  const own = { id, at: new Date(at), event, actor, target, outcome, sourceAddress, traceId };
  const whole = { ...own, details: { ...details, ...ended.details } };
  return whole as AuditEntry; // made of `callEntry` and its like, whose details the catalogue has checked
}

/** What says that the reply to a call was kept back, where its own record does not. */
export function withholding(entry: SpooledEntry, withheld: AuditEntry): [SpooledEntry, SpooledOutcome] {
  const { http_status, rpc_code, bytes_out } = { ...withheld.details } as Partial<DetailsOf<'call.withheld'>>;
  const details = { call: entry.id, http_status, rpc_code, bytes_out };
  const own = { id: newId(), at: new Date().toISOString(), event: 'call.withheld', details: {} } as const;
  return [
    { ...entry, ...own },
    { outcome: 'unavailable', details },
  ];
}
