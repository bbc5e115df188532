import type { KeyObject } from 'node:crypto';
import { appendAudit } from '#libs/audit';
import type { Secret } from '#libs/config';
import { newId, type Database } from '#libs/database';
import { PersonKeys } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import type { Client } from 'pg';
import { AuditSequencer } from './audit-sequencer.js';

const DAY_MS = 86_400_000;

/** What a tenant's log is made with. */
export interface LogStage {
  readonly control: Database;
  readonly background: Database;
  readonly owner: Client;
  readonly masterKey: Secret;
  readonly privateKey: KeyObject;
  readonly publicUrl: URL;
}

/** A new tenant with records of these ages in days, each batch under a checkpoint of its own, whose archive is due. */
export async function tenantOfAge(stage: LogStage, batches: ReadonlyArray<readonly number[]>): Promise<string> {
  const { control, background: database, owner, masterKey, privateKey: key, publicUrl } = stage;
  const id = newId();
  await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
  const persons = new PersonKeys(masterKey);
  const logger = createLogger('test', 'silent');
  const sequencer = new AuditSequencer({ database, persons, key, publicUrl, logger });
  for (const ages of batches) {
    const entries = ages.map((days) => ({
      at: new Date(Date.now() - days * DAY_MS),
      event: 'secret.deleted' as const,
      actor: { kind: 'system', id: 'test' } as const,
      target: 'secret:x',
      outcome: 'ok' as const,
    }));
    await control.asTenant(id, (tx) => appendAudit(tx, id, entries));
    await owner.query(`update audit_trees set checkpoint_at = now() - interval '61 seconds' where tenant_id = $1`, [
      id,
    ]);
    await sequencer.sequence();
  }
  await owner.query(`update audit_trees set archive_due = now() - interval '1 second' where tenant_id = $1`, [id]);
  return id;
}
