import type { Transaction } from '#libs/database';
import type { LogRow } from '../tree/log-record.js';
import { personOf, type PersonalPart } from '../personal.js';

/** A record as it is stored: with its number once it is in the log, without while it is on its way there. */
export interface AuditRow extends Omit<LogRow, 'leaf_index'> {
  readonly leaf_index: string | null;
}

/** What opens personal parts: the keys of persons. */
interface PersonOpener {
  open(
    tx: Transaction,
    tenantId: string,
    items: ReadonlyArray<{ readonly personId: string; readonly sealed: Uint8Array; readonly context: string }>,
  ): Promise<unknown[]>;
}

/** A record as people read it. */
export interface ShownRecord {
  readonly id: string;
  readonly leaf_index: number | null;
  readonly at: string;
  readonly event: string;
  readonly actor: { readonly kind: string } & Record<string, unknown>;
  readonly target: string;
  readonly outcome: string;
  readonly details: Record<string, unknown>;
  readonly source_address: string | null;
  readonly trace_id: string | null;
  readonly personal: 'none' | 'shown' | 'erased';
}

/** Puts what is personal back into records, as long as its person has not been erased. */
export async function openRecords(
  tx: Transaction,
  tenantId: string,
  persons: PersonOpener,
  rows: readonly AuditRow[],
): Promise<ShownRecord[]> {
  const items = rows.flatMap((row) => {
    const personId = personOf(row);
    return row.personal === null || personId === undefined ? [] : [{ personId, sealed: row.personal, context: row.id }];
  });
  const opened = items.length === 0 ? [] : await persons.open(tx, tenantId, items);
  const parts = new Map(items.map(({ context }, index) => [context, opened[index]]));
  return rows.map((row) => show(row, parts.get(row.id) as PersonalPart | undefined)); // sealed by us in this shape
}

function show(
  { personal, leaf_index: leaf, at, actor, ...row }: AuditRow,
  part: PersonalPart | undefined,
): ShownRecord {
  return {
    ...row,
    leaf_index: leaf === null ? null : Number(leaf),
    at: at.toISOString(),
    actor: { ...actor, kind: String(actor['kind']) },
    details: { ...row.details, ...part?.details },
    source_address: part?.source_address ?? row.source_address,
    personal: personal === null ? 'none' : part === undefined ? 'erased' : 'shown',
  };
}
