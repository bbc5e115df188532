import { appendAudit, reducedEntry, type AuditEntry } from '#libs/audit';
import type { Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import type { Haste, Lane, Parcel } from './lane.js';
import { isGone, receptionOf, type Reception } from './reception.js';

/** Writes batches of one tenant; an entry that is refused for what it holds is found and written reduced. */
export class BatchWriter {
  constructor(
    private readonly database: Pick<Database, 'asTenant'>,
    private readonly logger: Logger,
    /** How long a statement may take for entries that replies wait for, in milliseconds. */
    private readonly atOnceMs: number,
  ) {}

  /** Writes what goes next of a lane, which lets go of what has arrived; returns what came of the rest. */
  async write(lane: Lane): Promise<Reception> {
    const { haste, parcels } = lane.next();
    return this.#writeSome(lane, haste, parcels);
  }

  async #writeSome(lane: Lane, haste: Haste, parcels: readonly Parcel[]): Promise<Reception> {
    const entries = parcels.map(({ shipment }) => shipment.entry);
    const reception = await this.#append(lane.tenantId, haste, parcels, entries);
    if (reception === 'took') await arrive(lane, haste, parcels, entries);
    if (reception !== 'refused') return reception;
    if (parcels.length === 1) return this.#writeReduced(lane, haste, parcels);
    const half = Math.ceil(parcels.length / 2);
    const first = await this.#writeSome(lane, haste, parcels.slice(0, half));
    return first === 'took' ? this.#writeSome(lane, haste, parcels.slice(half)) : first;
  }

  /** Where this is refused too, it is not for what the entry holds: it waits, as it is. */
  async #writeReduced(lane: Lane, haste: Haste, parcels: readonly Parcel[]): Promise<Reception> {
    const entries = parcels.map(({ shipment }) => reducedEntry(shipment.entry));
    const reception = await this.#append(lane.tenantId, haste, parcels, entries);
    if (reception !== 'took') return reception;
    const [entry] = entries;
    this.logger.error({ tenant_id: lane.tenantId, record_id: entry?.id }, 'the details of an audit record were lost');
    await arrive(lane, haste, parcels, entries);
    return 'took';
  }

  async #append(
    tenantId: string,
    haste: Haste,
    parcels: readonly Parcel[],
    entries: readonly AuditEntry[],
  ): Promise<Reception> {
    const statementTimeoutMs = haste === 'at-once' ? this.atOnceMs : undefined;
    let written = false;
    try {
      await this.database.asTenant(
        tenantId,
        async (tx) => {
          await appendAudit(tx, tenantId, entries);
          for (const [keyId, at] of keyUses(entries)) {
            await tx.query(
              `update api_keys set last_used_at = greatest(last_used_at, $3) where tenant_id = $1 and id = $2`,
              [tenantId, keyId, at],
            );
          }
          written = true;
        },
        { statementTimeoutMs },
      );
      return 'took';
    } catch (error) {
      this.logger.error(
        { tenant_id: tenantId, records: entries.length, cause: String(error) },
        'audit records were not taken',
      );
      if (isGone(error)) return 'took';
      // The commit was on its way: it may have been done.
      if (written) for (const [at, parcel] of parcels.entries()) parcel.perhaps ??= entries[at] as AuditEntry; // as many
      return receptionOf(error);
    }
  }
}

async function arrive(
  lane: Lane,
  haste: Haste,
  parcels: readonly Parcel[],
  entries: readonly AuditEntry[],
): Promise<void> {
  lane.drop(haste, parcels.length);
  const arriving = parcels.map(({ shipment, perhaps }, at) =>
    shipment.arrived(perhaps === undefined || perhaps === entries[at] ? entries[at] : undefined),
  );
  await Promise.all(arriving.filter((arrival) => arrival !== undefined));
}

function keyUses(entries: readonly AuditEntry[]): Map<string, Date> {
  const uses = entries.filter((entry) => entry.event === 'api_key.used');
  return new Map(uses.map((entry) => [entry.target.replace('api_key:', ''), entry.at ?? new Date()]));
}
